"""The accelerator: for each operation a generated function that records it in one step.

Nothing runs more often than making a node. So each operation, when it is first used, gets a function as if
written by hand for it: the formula, the derivatives that are needed and the new node, without a loop or a
look-up. It replaces `record` and the operator's method on Value. The nodes are the same, bit for bit; a test
compares the two. To switch the accelerator off, set the environment variable CHALKGRAD_SPECIALIZE=0, or call
`disable`.

In generated code our own names begin with ``_``, which no symbol does: a formula may call an op of any name.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from engine.core import ops
from engine.core.domain import domain_error
from engine.core.functional import unrolled
from engine.core.methods import own_methods
from engine.core.node_factories import active_factory, open_blocks
from engine.core.op import Op, Operation, on_register, shipped, table
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
    if _open_blocks and (_factory := _active_factory()):
        return _factory(_op, {parents})
    try:
        y = {formula}
        _local = ({local},)
    except (_ArithmeticError, _ValueError) as _error:
        raise _domain_error(_op, _error, [{data}], [_parent.label for _parent in {parents}]) from None
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
LONGEST = 2001  # arguments that are still written out as code
NAMES = {
    "_Value": Value, "_new": object.__new__, "_type": type,
    "_domain_error": domain_error,
    "_open_blocks": open_blocks, "_active_factory": active_factory,
    "_ArithmeticError": ArithmeticError, "_ValueError": ValueError,
}  # fmt: skip


def generate(
    op: Operation, constant: Sequence[bool], mixed: Recorder | None = None, **names: object
) -> Recorder:
    """Return the generated function that records ``op``.

    Args:
        op: the operation.
        constant: for each parent, whether it is a plain number: its derivative is 0.0, and not computed.
        mixed: the function that takes over if an argument is not a Value; None if all of them are.
        names: other meanings of `NAMES`.
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
    else:
        test, unpack, parents = "", f"{params}, = _parents\n    {unpack}", "_parents"
        params = "_parents"
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
    space = {**words, **NAMES, "_op": op, "_mixed": mixed, **names}
    recorder: Any = run_source(source, f"row {op.symbol}", space)["_record"]
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
        for arg in args:
            if not isinstance(arg, Value) and not is_number(arg):
                return NotImplemented  # then Python tries the other operand, and says what is wrong
        parents = tuple(map(as_value, args))
        if open_blocks and (factory := active_factory()):
            return factory(op, parents)
        return variant(op, *[parent.constant for parent in parents])(*parents)

    if len(op.partials) == 1:
        return lifted
    left, right = variant(op, True, False), variant(op, False, True)

    def one_lifted(a: Any, b: Any) -> Any:  # by far the most frequent cases
        if type(b) in _NUMBERS and type(a) is Value:
            return right(a, Constant(b))
        if type(a) in _NUMBERS and type(b) is Value:
            return left(Constant(a), b)
        return lifted(a, b)

    return one_lifted


_NUMBERS = float, int


class Unrolled(dict[int, Recorder]):
    """The functions that record an operation of many arguments, by their number; each takes a tuple of
    Values."""

    def __init__(self, op: Operation) -> None:
        super().__init__()
        self.op = op

    def __missing__(self, count: int) -> Recorder:
        if count > LONGEST:
            return functools.partial(_long, self.op)
        self[count] = generate(self.op, [False] * count)
        return self[count]


def _long(op: Operation, parents: tuple[Value, ...]) -> Value:
    """Record an operation of so many arguments that to compile a line of code for each would take long."""
    data = [parent._data for parent in parents]
    if open_blocks and active_factory():
        return make_node(op, parents)
    node = Value(op.value(*data))
    node.op, node.parents = op, parents
    node._local = op.local_gradients(data, node._data, ())
    return node


def enable() -> None:
    """Switch the accelerator on. The function of each operation is generated when it is first used."""
    for op in table.values():
        if isinstance(op, Op):
            _add(op)
        elif op in (ops.weighted_sum, ops.total):  # any other would repeat its intermediate results
            unrolled[op] = Unrolled(op)
    on_register.append(_add)


def disable() -> None:
    """Switch the accelerator off: each node is made by `engine.core.value.record`."""
    recorders.clear()
    unrolled.clear()
    if _add in on_register:
        on_register.remove(_add)
    for name, method in list(vars(Value).items()):
        if isinstance(method, FunctionType) and hasattr(method, "__wrapped__"):
            setattr(Value, name, method.__wrapped__)


def _add(op: Op) -> None:
    def first(*args: Any) -> Any:
        recorder = recorders[op] = fast(op)
        if table[op.symbol] is not op:  # another row took its symbol, and so its method
            return recorder(*args)
        is_method = op.symbol in shipped or op.symbol in own_methods
        names = OPERATORS.get(op, (op.symbol,) if is_method else ())
        for name, turned in zip(names, (False, len(op.partials) == 2)):
            _replace(name, recorder, op, turned)
        return recorder(*args)

    recorders[op] = first


def _replace(name: str, recorder: Recorder, op: Op, turned: bool) -> None:
    """Replace a method of Value by the generated function, under the method's own name and docstring."""
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
