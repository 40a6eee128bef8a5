"""Loops of machine code over many numbers, a vector at a time."""

from __future__ import annotations

from engine.compiler.backends.llvm.builder import LANES, I, T, V


def loop(name: str, count: str, body: str, by: int = 1) -> str:
    """Return a loop that runs the body for %name = 0, by, 2 by, ... below count; at least once."""
    return f"""\
  br label %{name}.begin
{name}.begin:
  br label %{name}.loop
{name}.loop:
  %{name} = phi i64 [0, %{name}.begin], [%{name}.next, %{name}.latch]
{body}
  br label %{name}.latch
{name}.latch:
  %{name}.next = add i64 %{name}, {by}
  %{name}.more = icmp slt i64 %{name}.next, {count}
  br i1 %{name}.more, label %{name}.loop, label %{name}.end
{name}.end:"""


def spread(name: str, kind: str = "double") -> str:
    """Define ``%name.all``: the number %name in all lanes."""
    vector = f"<{LANES} x {kind}>"
    return f"""\
  %{name}.one = insertelement {vector} poison, {kind} %{name}, i64 0
  %{name}.all = shufflevector {vector} %{name}.one, {vector} poison, <{LANES} x i32> zeroinitializer"""


def nan() -> str:
    """Define the function that returns whether there is a NaN among some numbers."""
    body = f"""\
  %so_far = phi {T} [zeroinitializer, %i.begin], [%worse, %i.latch]
  %here = getelementptr double, ptr %numbers, i64 %i
  %x = load {V}, ptr %here, align 8
  %nan = fcmp uno {V} %x, %x
  %worse = or {T} %so_far, %nan"""
    return f"""\
define internal i1 @nan(ptr %numbers, i64 %count) noinline {{
{loop("i", "%count", body, LANES)}
  %found = call i1 @llvm.vector.reduce.or.v{LANES}i1({T} %worse)
  ret i1 %found
}}"""


def cut(slots: int) -> str:
    """Define the function that sets the slots of a block to 0 in the lanes without a sample."""
    body = f"""\
  %here = getelementptr {V}, ptr %w, i64 %i
  %x = load {V}, ptr %here, align 32
  %taken = select {T} %alive, {V} %x, {V} zeroinitializer
  store {V} %taken, ptr %here, align 32"""
    return f"""\
define internal void @cut(ptr %w, i64 %left) noinline {{
{spread("left", "i64")}
  %alive = icmp slt {I} <{", ".join(f"i64 {i}" for i in range(LANES))}>, %left.all
{loop("i", str(slots), body)}
  ret void
}}"""


def mean(sums: int) -> str:
    """Define the function that divides the sums by the number of samples, and adds the shared terms."""
    body = f"""\
  %sums = getelementptr double, ptr @sums, i64 %i
  %shared = getelementptr double, ptr @shared, i64 %i
  %results = getelementptr double, ptr @results, i64 %i
  %sum = load {V}, ptr %sums, align 32
  %alike = load {V}, ptr %shared, align 32
  %mean = fdiv {V} %sum, %n.all
  %result = fadd {V} %mean, %alike
  store {V} %result, ptr %results, align 32"""
    return f"""\
define internal void @mean(i64 %samples) noinline {{
  %n = uitofp i64 %samples to double
{spread("n")}
{loop("i", str(sums), body, LANES)}
  ret void
}}"""
