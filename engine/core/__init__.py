"""Values, the table of operations and the chain rule. Read `ops`, `op`, `value`, `backward`, in this order."""
