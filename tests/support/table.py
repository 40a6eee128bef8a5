"""The rows of the project's own table, whatever rows other tests have added to it."""

from engine.core import more_ops, ops
from engine.core.op import Op

ROWS = {it.symbol: it for module in (ops, more_ops) for it in vars(module).values() if isinstance(it, Op)}
