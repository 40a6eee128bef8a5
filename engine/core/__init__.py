"""Values, the table of operations and the chain rule: read `ops`, `op`, `value`, `backward`, in this order."""
