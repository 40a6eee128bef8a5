"""The accelerator: for each operation a generated function that records it in one step.

Nothing runs more often than making a node. So each operation, when it is first used, gets a function as if written
by hand for it: the formula, the derivatives that are needed and the new node, without a loop or a look-up. It
takes the place of `record` and of the operator's method on Value. The nodes are the same, bit for bit; a test holds
the two equal. To switch the accelerator off, set the environment variable CHALKGRAD_SPECIALIZE=0, or call `disable`.

In generated code our own names begin with ``_``, which no symbol does: a formula may call an op of any name.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from engine.core import ops
from engine.core.node_factories import active_factory, open_blocks
from engine.core.op import Op, Operation, on_register, table
from engine.core.reductions import Reduction
from engine.core.scalar import is_number
from engine.core.value import Constant, Value, as_value, make_node, recorders
from engine.formula.compile import compile_formula, run_source
from engine.formula.printers import PythonPrinter, Text, float_literal

Recorder = Callable[..., Any]

SWITCH = "CHALKGRAD_SPECIALIZE"

#: The methods of Value that are operators, by their operation: the method, and the one of the right operand.
OPERATORS = {
    ops.add: ("__add__", "__radd__"), ops.sub: ("__sub__", "__rsub__"), ops.mul: ("__mul__", "__rmul__"),
    ops.div: ("__truediv__", "__rtruediv__"), ops.pow: ("__pow__", "__rpow__"),
    ops.neg: ("__neg__", "neg"), ops.abs: ("__abs__", "abs"),
}  # fmt: skip

SOURCE = """\
def _record({params}):
    {doc!r}
{test}\
    {unpack}
    if _open_blocks and _active_factory():
        return _make_node(_op, {parents})
    try:
        y = {formula}
        _local = ({local},)
    except (_ArithmeticError, _ValueError) as _error:
        raise _op.domain_error(_error, [{data}], [_parent.label for _parent in {parents}]) from None
    _node = _new(_Value)
    _node._data = y
    _node._grad = 0.0
    _node.label = ""
    _node.op = _op
    _node.parents = {parents}
    _node._local = _local
    return _node
"""
TEST = """\
    if {test}:  # a plain number, perhaps
        return _mixed({params})
"""
UNPACK = """\
{params}, = _parents
    try:
        {unpack}
    except _AttributeError:
        return _mixed(*_parents)
"""
LONGEST = 2001  # arguments that are still written out as code
NAMES = {
    "_Value": Value, "_new": object.__new__, "_make_node": make_node, "_type": type,
    "_open_blocks": open_blocks, "_active_factory": active_factory,
    "_ArithmeticError": ArithmeticError, "_AttributeError": AttributeError, "_ValueError": ValueError,
}  # fmt: skip


def generate(op: Operation, constant: Sequence[bool], mixed: Recorder | None = None) -> Recorder:
    """Return the generated function that records ``op``.

    Args:
        op: the operation.
        constant: for each parent, whether it is a plain number: its derivative is not computed, and reads 0.0.
        mixed: the function that takes over if an argument is not a Value; None if all of them are.
    """
    printer = PythonPrinter()
    letters = op.letters(len(constant))
    args, y = [Text(letter) for letter in letters], Text("y")
    local = [
        "0.0" if skip else float_literal(op.derivative(position, printer, args, y)).text
        for position, skip in enumerate(constant)
    ]
    formula = float_literal(op.forward(printer, args)).text
    params = ", ".join(f"_{letter}" for letter in letters)
    unpack = "; ".join(f"{letter} = _{letter}._data" for letter in letters)
    if isinstance(op, Op):
        test = " or ".join(f"_type(_{letter}) is not _Value" for letter in letters)
        test, parents = TEST.format(test=test, params=params) if mixed else "", f"({params},)"
    else:  # of many arguments: a plain number shows by its lack of _data
        test, unpack, parents = "", UNPACK.format(params=params, unpack=unpack), "_parents"
        params = "*_parents"
    source = SOURCE.format(
        doc=f"y = {formula}, recorded.",
        params=params,
        parents=parents,
        test=test,
        unpack=unpack,
        formula=formula,
        local=", ".join(local),
        data=", ".join(letters),
    )
    words = {name: compile_formula(called) for name, called in printer.called.items()}
    names = {**words, **NAMES, "_op": op, "_mixed": mixed}
    recorder: Any = run_source(source, f"row {op.symbol}", names)["_record"]
    recorder.__name__ = recorder.__qualname__ = op.symbol  # for the errors of wrong calls
    return recorder  # type: ignore[no-any-return]


def fast(op: Op) -> Recorder:
    """Return the function that records ``op`` of Values at once; it passes anything else to `mixed`."""
    return generate(op, [False] * len(op.partials), mixed(op))


@functools.cache
def variant(op: Op, *constant: bool) -> Recorder:
    """Return the function that records ``op`` where it is known which of the Values are plain numbers."""
    return generate(op, constant)


def mixed(op: Op) -> Recorder:
    """Return the function that records ``op`` where plain numbers may stand among the Values."""

    def lifted(*args: Any) -> Any:
        if not all(isinstance(arg, Value) or is_number(arg) for arg in args):
            return NotImplemented  # then Python tries the other operand, and says what is wrong
        parents = [as_value(arg) for arg in args]
        return variant(op, *[parent.constant for parent in parents])(*parents)

    if len(op.partials) == 1:
        return lifted
    left = right = None

    def one_lifted(a: Any, b: Any) -> Any:  # by far the most frequent cases
        nonlocal left, right
        if type(b) in _NUMBERS and type(a) is Value:
            right = right or variant(op, False, True)
            return right(a, Constant(b))
        if type(a) in _NUMBERS and type(b) is Value:
            left = left or variant(op, True, False)
            return left(Constant(a), b)
        return lifted(a, b)

    return one_lifted


_NUMBERS = float, int


class Unrolled(dict[int, Recorder]):
    """The functions that record an operation of many arguments, by the number of arguments."""

    def __init__(self, op: Reduction) -> None:
        super().__init__()
        self.op = op

    def __missing__(self, count: int) -> Recorder:
        if count <= LONGEST:
            self[count] = generate(self.op, [False] * count, functools.partial(_mixed_many, self.op))
            return self[count]
        return functools.partial(_long, self.op)

    def record(self, *parents: Any) -> Any:
        """Record the operation of ``parents``."""
        return self[len(parents)](*parents)


def _long(op: Reduction, *parents: Any) -> Any:
    """Record an operation of so many arguments that a line of code for each of them would be slow to compile."""
    try:
        data = [parent._data for parent in parents]
    except AttributeError:
        return _mixed_many(op, *parents)
    if open_blocks and active_factory():
        return make_node(op, parents)
    node = Value(op.value(*data))
    node.op, node.parents, node._local = op, parents, op.all_local_gradients(data)
    return node


def _mixed_many(op: Operation, *args: Any) -> Any:
    """Record an operation of many arguments where plain numbers may stand among the Values."""
    if not all(isinstance(arg, Value) or is_number(arg) for arg in args):
        return NotImplemented
    return recorders[op](*map(as_value, args))


def enable() -> None:
    """Switch the accelerator on. The function of each operation is generated when it is first used."""
    for op in table.values():
        if isinstance(op, Op):
            _add(op)
        elif isinstance(op, Reduction):
            recorders[op] = Unrolled(op).record
    on_register.append(_add)


def disable() -> None:
    """Switch the accelerator off: each node is made by `engine.core.value.record`."""
    recorders.clear()
    if _add in on_register:
        on_register.remove(_add)
    for name, method in list(vars(Value).items()):
        if isinstance(method, FunctionType) and hasattr(method, "__wrapped__"):
            setattr(Value, name, method.__wrapped__)


def _add(op: Op) -> None:
    def first(*args: Any) -> Any:
        recorder = recorders[op] = fast(op)
        for name, turned in zip(OPERATORS.get(op, (op.symbol,)), (False, len(op.partials) == 2)):
            _replace(name, recorder, op, turned)
        return recorder(*args)

    recorders[op] = first


def _replace(name: str, recorder: Recorder, op: Op, turned: bool) -> None:
    """Put the generated function in the place of a method of Value, under that method's name and docstring."""
    method = getattr(Value, name, None)
    if not isinstance(method, FunctionType):
        return  # a symbol that is not a method, such as max
    if turned:
        function: Any = lambda self, other: recorder(other, self)  # noqa: E731
    else:
        function = FunctionType(recorder.__code__, recorder.__globals__)
    setattr(Value, name, functools.wraps(getattr(method, "__wrapped__", method))(function))


if os.environ.get(SWITCH, "1") != "0":
    enable()
