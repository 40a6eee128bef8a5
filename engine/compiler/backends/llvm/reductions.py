"""Machine code for the operations of any number of arguments, which are written by hand: loops over these."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from engine.compiler.backends.llvm.builder import I
from engine.compiler.backends.llvm.emit import Lines
from engine.compiler.backends.llvm.kernels import loop, spread
from engine.core.op import Operation
from engine.core.reductions import LogSumExp, Total, WeightedSum

WEIGHTS, INPUTS, BIAS = 0, 1, 2  # the arguments of a weighted sum, of which gradients may be needed


def groups(op: Operation, learns: Sequence[bool]) -> tuple[int, ...]:
    """Return which groups of arguments need a gradient; only a weighted sum has more than one group.

    >>> groups(WeightedSum(), [True, True, False, False, True])
    (0, 2)
    """
    n = len(learns) // 2 if isinstance(op, WeightedSum) else len(learns)
    parts = learns[:n], learns[n : 2 * n], learns[2 * n :]
    return tuple([k for k, part in enumerate(parts) if any(part)])


def parent(kind: str, name: str, at: str) -> str:
    """Define ``%name``: the value of the parent whose position is at %parents[at]."""
    return f"""\
  %{name}.index = getelementptr i32, ptr %parents, i64 {at}
  %{name}.short = load i32, ptr %{name}.index, align 4
  %{name}.node = sext i32 %{name}.short to i64
  %{name}.at = getelementptr {kind}, ptr %values, i64 %{name}.node
  %{name} = load {kind}, ptr %{name}.at, align 8"""


def receive(kind: str, name: str, gradient: str, local: str) -> str:
    """Add the upstream gradient × local to the gradient of the parent ``%name``."""
    unique = f"to.{name}"
    return f"""\
  %{unique}.at = getelementptr {kind}, ptr %grads, i64 %{name}.node
  %{unique}.before = load {kind}, ptr %{unique}.at, align 8
  %{unique}.product = fmul contract {kind} {gradient}, {local}
  %{unique}.after = fadd contract {kind} %{unique}.before, %{unique}.product
  store {kind} %{unique}.after, ptr %{unique}.at, align 8"""


def upstream(lines: Lines) -> str:
    """Define ``%g``: the gradient of the node. What is stored becomes 0, for the next pass."""
    kind = lines.type
    return f"""\
  %g.at = getelementptr {kind}, ptr %grads, i64 %first
  %g = load {kind}, ptr %g.at, align 8
  store {kind} {lines.number(0.0)}, ptr %g.at, align 8"""


def store(kind: str, y: str) -> str:
    """Store the value of the node."""
    return f"""\
  %y.at = getelementptr {kind}, ptr %values, i64 %first
  store {kind} {y}, ptr %y.at, align 8"""


def weighted_sum(lines: Lines, needs_grad: Collection[int], backward: bool) -> str:
    """Return the text of z = b + Σ wᵢ aᵢ, with the parents w…, a…, b."""
    kind = lines.type
    head = f"""\
  %last = sub i64 %count, 1
  %n = lshr i64 %last, 1
{parent(kind, "b", "%last")}"""
    pair = f"""\
{parent(kind, "w", "%k")}
  %other = add i64 %k, %n
{parent(kind, "a", "%other")}"""
    if not backward:
        body = f"""\
  %z = phi {kind} [%b, %k.begin], [%more, %k.latch]
{pair}
  %product = fmul contract {kind} %w, %a
  %more = fadd contract {kind} %z, %product"""
        return f"{head}\n{loop('k', '%n', body)}\n{store(kind, '%more')}"
    body = pair
    if WEIGHTS in needs_grad:
        body += "\n" + receive(kind, "w", "%g", "%a")
    if INPUTS in needs_grad:
        body += "\n" + receive(kind, "a", "%g", "%w")
    text = f"{head}\n{upstream(lines)}\n{loop('k', '%n', body)}"
    return text + ("\n" + receive(kind, "b", "%g", lines.number(1.0)) if BIAS in needs_grad else "")


def total(lines: Lines, needs_grad: Collection[int], backward: bool) -> str:
    """Return the text of y = Σ aᵢ."""
    kind = lines.type
    if backward:
        body = f"{parent(kind, 'a', '%k')}\n{receive(kind, 'a', '%g', lines.number(1.0))}"
        return f"{upstream(lines)}\n{loop('k', '%count', body)}"
    body = f"""\
  %sum = phi {kind} [{lines.number(-0.0)}, %k.begin], [%more, %k.latch]
{parent(kind, "a", "%k")}
  %more = fadd {kind} %sum, %a"""
    return f"{loop('k', '%count', body)}\n{store(kind, '%more')}"


def logsumexp(lines: Lines, needs_grad: Collection[int], backward: bool) -> str:
    """Return the text of y = m + log(1 + r), as explained in `engine.core.reductions.LogSumExp`."""
    kind, test = lines.type, lines.test
    zero, one, inf = lines.number(0.0), lines.number(1.0), lines.number(float("inf"))
    whole, index = ("i64", "%j") if kind == "double" else (I, "%j.all")
    greatest = f"""\
  %m.before = phi {kind} [{lines.number(-float("inf"))}, %j.begin], [%m, %j.latch]
  %f.before = phi {whole} [zeroinitializer, %j.begin], [%f, %j.latch]
{parent(kind, "c", "%j")}
{spread("j", "i64") if kind != "double" else ""}
  %keep = fcmp oge {kind} %m.before, %c
  %m = select {test} %keep, {kind} %m.before, {kind} %c
  %f = select {test} %keep, {whole} %f.before, {whole} {index}"""

    def share(name: str, at: str, element: str) -> str:
        """Define ``%e.name``: exp(a - m), or what stands for it where a = m, and ``%is.name``: a is m."""
        lines.words.add("exp")
        return f"""\
{parent(kind, name, at)}
{spread(at[1:], "i64") if kind != "double" else ""}
  %is.{name} = icmp eq {whole} %f, {element}
  %below.{name} = fsub {kind} %{name}, %m
  %exp.{name} = call {kind} @{lines.called("exp")}({kind} %below.{name})
  %top.{name} = fcmp oge {kind} %{name}, %m
  %one.{name} = select {test} %is.{name}, {kind} {one}, {kind} %tie
  %e.{name} = select {test} %top.{name}, {kind} %one.{name}, {kind} %exp.{name}"""

    def at(name: str) -> str:
        return f"%{name}" if kind == "double" else f"%{name}.all"

    rest = f"""\
  %r.before = phi {kind} [{zero}, %k.begin], [%r, %k.latch]
{share("a", "%k", at("k"))}
  %other = select {test} %is.a, {kind} {zero}, {kind} %e.a
  %r = fadd {kind} %r.before, %other"""
    fabs = "llvm.fabs.f64" if kind == "double" else lines.called("abs")
    parts = f"""\
{loop("j", "%count", greatest)}
  %absolute = call {kind} @{fabs}({kind} %m)
  %infinite = fcmp oeq {kind} %absolute, {inf}
  %tie = select {test} %infinite, {kind} {zero}, {kind} {one}
{loop("k", "%count", rest)}"""
    lines.words.add("abs")
    if not backward:
        lines.words.add("log1p")
        return f"""\
{parts}
  %log = call {kind} @{lines.called("log1p")}({kind} %r)
  %y = fadd {kind} %m, %log
{store(kind, "%y")}"""
    body = f"{share('b', '%l', at('l'))}\n{receive(kind, 'b', '%scaled', '%e.b')}"
    return f"""\
{parts}
{upstream(lines)}
  %sum = fadd {kind} {one}, %r
  %scaled = fdiv {kind} %g, %sum
{loop("l", "%count", body)}"""


#: The operations of any number of arguments. Each takes what writes the formulas, the groups of arguments
#: whose gradients are needed, and the direction.
REDUCTIONS: dict[type[Operation], Callable[[Lines, Collection[int], bool], str]] = {
    WeightedSum: weighted_sum, Total: total, LogSumExp: logsumexp,
}  # fmt: skip
