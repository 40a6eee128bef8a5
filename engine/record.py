"""From a row of the table, the Python function that records it.

Nothing runs more often than the making of a node, so each row becomes a function of its own, as if written by
hand: the formula, the slopes that are needed, and the new node, with no loop and no look-up in between.
``inspect.getsource`` shows it. What is ours in it begins with ``_``, which no symbol does: a row of any name
may be called in the formula of another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.notation import Python, Text, as_float, function, run
from engine.op import Op, Operation

HEAD = """\
def _record({params}):
    {doc!r}
"""
MIXED = """\
    if {test}:  # a plain number, perhaps
        return _mixed({params})
"""
BODY = """\
    if _makers and _thread() in _makers:  # this thread is in a no_grad, say
        return _makers[_thread()](_op, {parents})
    {unpack}
    try:
        y = {formula}
        _slopes = ({slopes},)
    except _errors as _error:
        raise _op.outside(_error, [{data}], [_parent.label for _parent in {parents}]) from None
    _node = _new(_Value)
    _node.data = y
    _node.grad = 0.0
    _node.label = ""
    _node.op = _op
    _node.parents = {parents}
    _node._local = _slopes
    return _node
"""


def recorder(op: Operation, constant: Sequence[bool], mixed: Any = None, **names: Any) -> Callable[..., Any]:
    """The function that records one operation: a row takes its parents one by one, any other as a tuple.

    Args:
        op: the operation.
        constant: for each parent, whether it is a plain number: its slope is not evaluated, and reads 0.0.
        mixed: whom to hand the parents to if one is not a Value; if None, all of them are.
        names: what the source leaves open: the class of the nodes, and how to make one.
    """
    python = Python()
    letters = op.letters(len(constant))
    args, y = [Text(letter) for letter in letters], Text("y")
    slopes = [
        "0.0" if skip else as_float(op.slope(position, python, args, y)).text
        for position, skip in enumerate(constant)
    ]
    formula = as_float(op.forward(python, args)).text
    parents = [f"_{letter}" for letter in letters]
    params = ", ".join(parents)
    one_by_one = isinstance(op, Op)
    unpack = "; ".join(f"{letter} = _{letter}.data" for letter in letters)
    source = (HEAD + (MIXED if mixed else "") + BODY).format(
        doc=f"y = {formula}, recorded.",
        params=params if one_by_one else "_parents",
        parents=f"({params},)" if one_by_one else "_parents",
        test=" or ".join(f"_type({parent}) is not _Value" for parent in parents),
        unpack=unpack if one_by_one else f"{params}, = _parents\n    {unpack}",
        formula=formula,
        slopes=", ".join(slopes),
        data=", ".join(letters),
    )
    words = {name: function(called) for name, called in python.called.items()}
    ours = {"_op": op, "_mixed": mixed, "_type": type, "_errors": (ArithmeticError, ValueError)}
    record: Callable[..., Any] = run(source, f"row {op.symbol}", **words, **names, **ours)["_record"]
    record.__name__ = record.__qualname__ = op.symbol  # what Python calls it when x.exp(2) is wrong
    return record
