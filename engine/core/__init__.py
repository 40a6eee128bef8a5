"""Operations, Values and the chain rule. Read `ops`, `op`, `value` and `backward`, in this order."""
