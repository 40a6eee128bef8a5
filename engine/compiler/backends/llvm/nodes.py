"""Machine code for the nodes of any graph: functions for each kind of node, written from the table.

A function runs for consecutive nodes of one kind. It reads from arrays which nodes these are, and where their
parents are, so it serves every graph. At its end it jumps to the function of the next call.

The arguments of the functions: %values and %grads have a number, or a vector of samples, for each node; %args
has the positions of parents; %call is the address of the call, four numbers: the place of the function in
%functions, the first node, the place of its first argument in %args, and the count (of nodes; of arguments,
if an operation of any number of arguments has many); %raised is not 0 if a number was not finite.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from engine.compiler.backends.llvm import vecmath
from engine.compiler.backends.llvm.builder import LANES, I, T, V
from engine.compiler.backends.llvm.emit import Branches, Lanes, Lines
from engine.compiler.backends.llvm.kernels import loop
from engine.compiler.backends.llvm.reductions import REDUCTIONS, parent, receive
from engine.core.op import Operation

WRITTEN = (1.0, 2.0)  # the plain numbers that become part of the machine code, as the exponent of a square
ARGUMENTS = "ptr noalias %values, ptr noalias %grads, ptr noalias %args, ptr %call, ptr %functions"
PASSED = "ptr %values, ptr %grads, ptr %args, ptr %next, ptr %functions"


class Kind(NamedTuple):
    """The nodes that the same functions compute."""

    op: Operation
    arity: int  #: the number of arguments; 0 for many arguments, over which a loop runs
    needs_grad: tuple[int, ...]  #: the positions (of many arguments, the groups) that need a gradient
    numbers: tuple[tuple[int, float], ...] = ()  #: positions of arguments that are plain numbers, and these


class Function(NamedTuple):
    """The text of a function."""

    flag: str  #: the type of its result
    text: str  #: its arguments and its instructions
    words: frozenset[str]  #: the words that it calls
    wide: bool  #: whether it calls them on vectors


def function(kind: Kind, backward: bool, width: int, neighbours: bool = False) -> Function:
    """Return the function for one kind of nodes.

    Args:
        kind: the nodes.
        backward: whether it adds to the gradients of the parents, or computes the values.
        width: the number of samples: 1, or that of the lanes of a vector.
        neighbours: whether the lanes are neighbouring nodes of one sample.
    """
    lines = Lanes() if width > 1 or neighbours else Branches("i.loop")
    if not kind.arity:
        text = REDUCTIONS[type(kind.op)](lines, kind.needs_grad, backward)
    elif neighbours:
        text = loop("i", "%count", _neighbours(lines, kind, backward), LANES)
    else:
        text = loop("i", "%count", _node(lines, kind, backward))
    raised = "zeroinitializer"
    if lines.flag != lines.number(0.0):
        raised = "%worse"
        if neighbours:
            raised = "%reduced"
            text += f"\n  %reduced = call i64 @llvm.vector.reduce.or.v{LANES}i64({I} %worse)"
    flag = "i64" if width == 1 else I
    return Function(
        flag,
        f"""\
({ARGUMENTS}, {flag} %raised) {{
{field("call", "first", 1)}
{field("call", "offset", 2)}
{field("call", "count", 3)}
  %parents = getelementptr i32, ptr %args, i64 %offset
{text}
  %next = getelementptr [4 x i32], ptr %call, i64 1
{field("next", "place", 0)}
  %function.at = getelementptr ptr, ptr %functions, i64 %place
  %function = load ptr, ptr %function.at, align 8
  %all = or {flag} %raised, {raised}
  %result = musttail call {flag} %function({PASSED}, {flag} %all)
  ret {flag} %result
}}""",
        frozenset(lines.words),
        lines.type == V,
    )


def uses_series(kind: Kind) -> bool:
    """Return whether the functions of a kind compute series, which vectors compute faster than numbers."""
    if not kind.arity:
        return False
    words = function(kind, False, 1).words | (function(kind, True, 1).words if kind.needs_grad else set())
    return not words.isdisjoint(vecmath.SERIES)


def field(call: str, name: str, place: int) -> str:
    """Define ``%name``: a field of a call."""
    return f"""\
  %{name}.at = getelementptr [4 x i32], ptr %{call}, i64 0, i64 {place}
  %{name}.short = load i32, ptr %{name}.at, align 4
  %{name} = sext i32 %{name}.short to i64"""


def _node(lines: Lines, kind: Kind, backward: bool) -> str:
    """Return the instructions for node %i; a node may be a parent of the next one."""
    head = [
        "  %last = sub i64 %count, 1" if backward else "",
        "  %n = sub i64 %last, %i" if backward else "  %n = add i64 %i, 0",
        f"  %at0 = mul i64 %n, {kind.arity}",
        *(f"  %at{k} = add i64 %at0, {k}" for k in range(1, kind.arity)),
        *(parent(lines.type, f"a{k}", f"%at{k}") for k in range(kind.arity)),
        "  %node = add i64 %first, %n",
        f"  %y.at = getelementptr {lines.type}, ptr %values, i64 %node",
    ]
    if not backward:
        y = kind.op.forward(lines, _arguments(lines, kind))
        return _flagged(lines, head, [f"  store {lines.type} {y}, ptr %y.at, align 8"])
    head += [
        f"  %g.at = getelementptr {lines.type}, ptr %grads, i64 %node",
        f"  %y = load {lines.type}, ptr %y.at, align 8",
        f"  %g = load {lines.type}, ptr %g.at, align 8",
    ]
    local = kind.op.derivatives(kind.needs_grad, lines, _arguments(lines, kind), "%y")
    tail = [receive(lines.type, f"a{k}", "%g", derivative) for k, derivative in zip(kind.needs_grad, local)]
    return _flagged(lines, head, tail)


def _neighbours(lines: Lines, kind: Kind, backward: bool) -> str:
    """Return the instructions for as many nodes as there are lanes; none is a parent of another."""
    head = ["  %node = add i64 %first, %i", "  %y.at = getelementptr double, ptr %values, i64 %node"]
    for k in range(kind.arity):
        vector = "poison"
        for lane in range(LANES):
            name, after = f"a{k}.{lane}", f"%a{k}" + f".to.{lane}" * (lane < LANES - 1)
            head += [
                f"  %row.{k}.{lane} = add i64 %i, {lane}",
                f"  %row0.{k}.{lane} = mul i64 %row.{k}.{lane}, {kind.arity}",
                f"  %at.{k}.{lane} = add i64 %row0.{k}.{lane}, {k}",
                parent("double", name, f"%at.{k}.{lane}"),
                f"  {after} = insertelement {V} {vector}, double %{name}, i64 {lane}",
            ]
            vector = after
    if not backward:
        y = kind.op.forward(lines, _arguments(lines, kind))
        return _flagged(lines, head, [f"  store {V} {y}, ptr %y.at, align 8"])
    head += [
        "  %g.at = getelementptr double, ptr %grads, i64 %node",
        f"  %y = load {V}, ptr %y.at, align 8",
        f"  %g = load {V}, ptr %g.at, align 8",
    ]
    tail = []
    local = kind.op.derivatives(kind.needs_grad, lines, _arguments(lines, kind), "%y")
    for k, derivative in zip(kind.needs_grad, local):
        for lane in range(LANES):
            tail += [
                f"  %g.{k}.{lane} = extractelement {V} %g, i64 {lane}",
                f"  %d.{k}.{lane} = extractelement {V} {derivative}, i64 {lane}",
                receive("double", f"a{k}.{lane}", f"%g.{k}.{lane}", f"%d.{k}.{lane}"),
            ]
    return _flagged(lines, head, tail)


def _arguments(lines: Lines, kind: Kind) -> list[str]:
    numbers = dict(kind.numbers)
    return [lines.number(numbers[k]) if k in numbers else f"%a{k}" for k in range(kind.arity)]


def _flagged(lines: Lines, head: list[str], tail: list[str]) -> str:
    """Return the instructions of a node, with those that note whether its numbers are finite."""
    if lines.flag != lines.number(0.0):
        head.insert(0, f"  %so_far = phi {lines.bits} [zeroinitializer, %i.begin], [%worse, %i.latch]")
        tail.append(f"  %flag = bitcast {lines.type} {lines.flag} to {lines.bits}")
        tail.append(f"  %worse = or {lines.bits} %so_far, %flag")
    return "\n".join(filter(None, [*head, *lines.rows, *tail]))


def graph_pass(width: int) -> str:
    """Return the module of the function that makes calls up to one of ``stop``; it returns the flag."""
    flag = "i64" if width == 1 else I
    test = "icmp ne i64 %raised, 0"
    if width > 1:
        test = f"call i1 @llvm.vector.reduce.or.v{LANES}i1({T} %each)"
    return f"""\
declare i1 @llvm.vector.reduce.or.v{LANES}i1({T})

define i64 @pass(ptr %values, ptr %grads, ptr %args, ptr %next, ptr %functions) {{
{field("next", "place", 0)}
  %function.at = getelementptr ptr, ptr %functions, i64 %place
  %function = load ptr, ptr %function.at, align 8
  %raised = call {flag} %function({PASSED}, {flag} zeroinitializer)
  %each = icmp ne {flag} %raised, zeroinitializer
  %any = {test}
  %result = zext i1 %any to i64
  ret i64 %result
}}

define {flag} @stop({ARGUMENTS}, {flag} %raised) {{
  ret {flag} %raised
}}"""


def module(functions: Mapping[str, Function]) -> str:
    """Return the module of some functions, by their names."""
    one, many = (
        {word for it in functions.values() if it.wide is wide for word in it.words} for wide in (False, True)
    )
    needed = dict.fromkeys([*vecmath.declarations(one, set()), *vecmath.definitions(many)])
    reduce = f"declare i64 @llvm.vector.reduce.or.v{LANES}i64({I})"
    texts = (f"define {it.flag} @{name}{it.text}" for name, it in functions.items())
    return "\n\n".join([reduce, *needed, *texts])
