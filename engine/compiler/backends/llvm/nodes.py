"""Machine code for the nodes of any graph: functions for each kind of node, written from the table.

A function runs for consecutive nodes of one kind. It reads from arrays which nodes these are, and where their
parents are, so it serves every graph. At its end it jumps to the function of the next call.

The arguments of the functions: %values and %grads have a number, or a vector of samples, for each node.
%args is the address of the positions of the parents, and %node the position of the node: both advance from
call to call, and go back in the backward pass. %call is the address of the call, two numbers: the place of
the function in %table, and the count (of nodes; of arguments, if a loop runs over them). The table begins
with a vector that is not 0 if a number was not finite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from engine.compiler.backends.llvm import vecmath
from engine.compiler.backends.llvm.builder import LANES, I, T, V
from engine.compiler.backends.llvm.emit import Branches, Lanes, Lines
from engine.compiler.backends.llvm.kernels import loop
from engine.compiler.backends.llvm.reductions import REDUCTIONS, parent, receive
from engine.core.op import Operation
from engine.formula.simplify import Simplifier, TreeBuilder
from engine.formula.tree import Interpreter, Tree, interpret

R = TypeVar("R")

WRITTEN = (1.0, 2.0)  # the plain numbers that become part of the machine code, as the exponent of a square
ARGUMENTS = "ptr noalias %values, ptr noalias %grads, ptr %args, ptr %call, ptr %table, i64 %node"
PASSED = "ptr %values, ptr %grads, ptr %args.next, ptr %call.next, ptr %table, i64 %node.next"


class Kind(NamedTuple):
    """The nodes that the same functions compute."""

    op: Operation
    arity: int  #: the number of arguments; 0 for many arguments, over which a loop runs
    needs_grad: tuple[int, ...]  #: the positions (of many arguments, the groups) that need a gradient
    numbers: tuple[tuple[int, float], ...] = ()  #: positions of arguments that are plain numbers, and these


class Function(NamedTuple):
    """The text of a function."""

    text: str  #: its arguments and its instructions
    words: frozenset[str]  #: the words that it calls
    wide: bool  #: whether it calls them on vectors


def function(kind: Kind, backward: bool, width: int) -> Function:
    """Return the function for one kind of nodes.

    Args:
        kind: the nodes.
        backward: whether it adds to the gradients of the parents, or computes the values.
        width: the number of samples: 1, or that of the lanes of a vector.
    """
    lines = Lanes() if width > 1 else Branches("i.loop")
    if backward and not kind.needs_grad:
        text = ""  # it only goes back
    elif not kind.arity:
        text = REDUCTIONS[type(kind.op)](lines, kind.needs_grad, backward)
    else:
        text = loop("i", "%count", _node(lines, kind, backward))
    nodes, size = ("%count", f"mul i64 %count, {kind.arity}") if kind.arity else ("1", "add i64 %count, 0")
    start, move, by = ("next", "sub", "%back") if backward else ("this", "add", "%size")
    flag = (
        f"""\
  %before = load {lines.whole}, ptr %table, align 8
  %raised = or {lines.whole} %before, %worse
  store {lines.whole} %raised, ptr %table, align 8"""
        if lines.flag != lines.number(0.0)
        else ""
    )
    text = f"""\
({ARGUMENTS}) {{
{field("call", "count", 1)}
  %size = {size}
  %back = sub i64 0, %size
  %args.this = getelementptr i32, ptr %args, i64 0
  %node.this = add i64 %node, 0
  %args.next = getelementptr i32, ptr %args, i64 {by}
  %node.next = {move} i64 %node, {nodes}
  %parents = getelementptr i32, ptr %args.{start}, i64 0
  %first = add i64 %node.{start}, 0
{text}
{flag}
  %call.next = getelementptr [2 x i32], ptr %call, i64 1
{JUMP.replace("call void", "musttail call void")}
  ret void
}}"""
    return Function(text, frozenset(lines.words), lines.type == V)


def field(call: str, name: str, place: int) -> str:
    """Define ``%name``: a field of a call."""
    return f"""\
  %{name}.at = getelementptr [2 x i32], ptr %{call}, i64 0, i64 {place}
  %{name}.short = load i32, ptr %{name}.at, align 4
  %{name} = sext i32 %{name}.short to i64"""


#: Run the function of the next call.
JUMP = f"""\
{field("call.next", "place", 0)}
  %function.at = getelementptr ptr, ptr %table, i64 %place
  %function = load ptr, ptr %function.at, align 8
  call void %function({PASSED})"""


def _node(lines: Lines, kind: Kind, backward: bool) -> str:
    """Return the instructions for node %i; a node may be a parent of the next one."""
    head = [
        "  %last = sub i64 %count, 1" if backward else "",
        "  %n = sub i64 %last, %i" if backward else "  %n = add i64 %i, 0",
        f"  %at0 = mul i64 %n, {kind.arity}",
        *(f"  %at{k} = add i64 %at0, {k}" for k in range(1, kind.arity)),
        *(parent(lines.type, f"a{k}", f"%at{k}") for k in range(kind.arity)),
        "  %here = add i64 %first, %n",
        f"  %y.at = getelementptr {lines.type}, ptr %values, i64 %here",
    ]
    if not backward:
        [y] = _results(lines, kind, backward)
        return _flagged(lines, head, [f"  store {lines.type} {y}, ptr %y.at, align 8"])
    head += [
        f"  %g.at = getelementptr {lines.type}, ptr %grads, i64 %here",
        f"  %y = load {lines.type}, ptr %y.at, align 8",
        f"  %g = load {lines.type}, ptr %g.at, align 8",
    ]
    local = _results(lines, kind, backward)
    tail = [receive(lines.type, f"a{k}", "%g", derivative) for k, derivative in zip(kind.needs_grad, local)]
    return _flagged(lines, head, tail)


def _results(lines: Lines, kind: Kind, backward: bool) -> list[str]:
    """Return y, or the derivatives that are needed; plain numbers that are known are computed here."""
    if not kind.numbers:
        args = [f"%a{k}" for k in range(kind.arity)]
        return _formulas(lines, kind, backward, args, "%y")
    numbers = dict(kind.numbers)
    letters: list[Tree] = [numbers.get(k, f"%a{k}") for k in range(kind.arity)]
    names = {name: name for name in ("%y", *(f"%a{k}" for k in range(kind.arity)))}
    trees = _formulas(Simplifier(TreeBuilder()), kind, backward, letters, "%y")
    return [interpret(tree, lines, names) for tree in trees]


def _formulas(interpreter: Interpreter[R], kind: Kind, backward: bool, args: Sequence[R], y: R) -> list[R]:
    if backward:
        return kind.op.derivatives(kind.needs_grad, interpreter, args, y)
    return [kind.op.forward(interpreter, args)]


def _flagged(lines: Lines, head: list[str], tail: list[str]) -> str:
    """Return the instructions of a node, with those that note whether its numbers are finite."""
    if lines.flag != lines.number(0.0):
        head.insert(0, f"  %so_far = phi {lines.whole} [zeroinitializer, %i.begin], [%worse, %i.latch]")
        tail.append(f"  %flag = bitcast {lines.type} {lines.flag} to {lines.whole}")
        tail.append(f"  %worse = or {lines.whole} %so_far, %flag")
    return "\n".join(filter(None, [*head, *lines.rows, *tail]))


def graph_pass() -> str:
    """Return the module of ``pass``, which makes calls and returns the flag, and ``stop``, the last call."""
    return f"""\
declare i1 @llvm.vector.reduce.or.v{LANES}i1({T})

define i64 @pass(ptr %values, ptr %grads, ptr %args.next, ptr %call.next, ptr %table, i64 %node.next) {{
  store {I} zeroinitializer, ptr %table, align 8
{JUMP}
  %raised = load {I}, ptr %table, align 8
  %each = icmp ne {I} %raised, zeroinitializer
  %any = call i1 @llvm.vector.reduce.or.v{LANES}i1({T} %each)
  %result = zext i1 %any to i64
  ret i64 %result
}}

define void @stop({ARGUMENTS}) {{
  ret void
}}"""


def module(functions: Mapping[str, Function]) -> str:
    """Return the module of some functions, by their names."""
    one, many = (
        {word for it in functions.values() if it.wide is wide for word in it.words} for wide in (False, True)
    )
    needed = dict.fromkeys([*vecmath.declarations(one, set()), *vecmath.definitions(many)])
    texts = (f"define void @{name}{it.text}" for name, it in functions.items())
    return "\n\n".join([*needed, *texts])
