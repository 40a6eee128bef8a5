"""The frame of a program in machine code: all samples, in blocks of as many as a vector has lanes.

The memory: numbers, the columns of the inputs one after another, then the parameters, then one more vector;
kept, the values that are computed once for all samples; slots, the values that each block keeps; roots, the
outputs, one after another, each in whole vectors; sums, the sums over the samples; shared, the terms that are
the same for all samples; and results, the means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from engine.compiler.backends.llvm.builder import KIND, LANES, T, V
from engine.compiler.backends.llvm.kernels import cut, loop, mean, nan
from engine.compiler.backends.llvm.reduction import Row, gather
from engine.compiler.backends.llvm.schedule import FLAG

BLOCKS = 8  # of a group: the values of each are kept until they are added up, and should stay in the cache
MOST = 2**16  # vectors that a group may keep: a group of a long program has fewer blocks

#: The arguments of the functions. %g: the parameters, %c: the values computed once, %b: the shared terms,
#: %x: the inputs of a block, %w: its slots, %r: its outputs.
ONCE = "ptr noalias %g, ptr noalias %c, ptr noalias %b"
EACH = "ptr noalias %g, ptr noalias %c, ptr noalias %x, ptr noalias %w, ptr noalias %r, i64 %samples"


class Sizes(NamedTuple):
    """The numbers of functions, inputs, values, sums, and of rows of each length."""

    once: int
    each: int
    parameters: int
    inputs: int
    kept: int
    slots: int
    sums: int
    rows: Mapping[int, int]

    @property
    def blocks(self) -> int:
        """The number of blocks of a group."""
        return max(1, min(BLOCKS, MOST // max(1, self.slots)))


def memory(n: Sizes, table: Sequence[Row]) -> str:
    """Define the memory; ``given`` holds the addresses of numbers and roots, and the number of samples."""

    def space(name: str, count: int, kind: str = "double") -> str:
        return f"@{name} = global [{max(1, count)} x {kind}] zeroinitializer, align 64"

    rows = ", ".join(f"[3 x i64] [i64 {row.right}, i64 {row.left}, i64 {row.place}]" for row in table)
    return "\n".join([
        space("given", 3, "i64"), space("kept", n.kept), space("slots", n.blocks * n.slots, V),
        space("sums", n.sums), space("shared", n.sums), space("results", n.sums),
        *(f"@{name} = constant [{count} x ptr] [{', '.join(f'ptr @{name}{i}' for i in range(count))}]"
          for name, count in (("once", n.once), ("each", n.each))),
        f"@rows = constant [{len(table)} x [3 x i64]] [{rows}]",
    ])  # fmt: skip


def group(n: Sizes) -> str:
    """Run a group of blocks: each function runs for all of them, while it is in the instruction cache.

    Then the lanes of the last block without a sample are set to 0, and everything is added up.
    """
    block = f"""\
  %xi = getelementptr {V}, ptr %x, i64 %i
  %wi = getelementptr [{n.slots} x {V}], ptr @slots, i64 %i
  %ri = getelementptr {V}, ptr %r, i64 %i
  call void %each(ptr %g, ptr @kept, ptr %xi, ptr %wi, ptr %ri, i64 %samples)"""
    function = f"""\
  %each.at = getelementptr ptr, ptr @each, i64 %k
  %each = load ptr, ptr %each.at, align 8
{loop("i", "%blocks", block)}"""
    first, gathers = 0, []
    for length, count in n.rows.items():
        gathers.append(f"""\
  %row{length} = getelementptr [3 x i64], ptr @rows, i64 {first}
  call void @gather{length}(ptr %row{length}, i64 {count}, i64 %blocks)""")
        first += count
    gathered = "\n".join(gathers)
    return f"""\
  %rest = sub i64 %samples, %first
  %rounded = add i64 %rest, {LANES - 1}
  %all = udiv i64 %rounded, {LANES}
  %blocks = call i64 @llvm.smin.i64(i64 %all, i64 {n.blocks})
  %x = getelementptr double, ptr %numbers, i64 %first
  %r = getelementptr double, ptr %roots, i64 %first
{loop("k", str(n.each), function)}
  %end = sub i64 %blocks, 1
  %end.first = mul i64 %end, {LANES}
  %end.left = sub i64 %rest, %end.first
  %end.w = getelementptr [{n.slots} x {V}], ptr @slots, i64 %end
  call void @cut(ptr %end.w, i64 %end.left)
{gathered}"""


def step(n: Sizes) -> str:
    """Define the function that is called; it returns 1 if the results are not valid.

    That is so if there is a NaN among the numbers, and then nothing else has run; or if an operation was
    outside its domain.
    """
    once = """\
  %once.at = getelementptr ptr, ptr @once, i64 %j
  %once = load ptr, ptr %once.at, align 8
  call void %once(ptr %g, ptr @kept, ptr @shared)"""
    return f"""\
define i64 @step() {{
  %numbers = load ptr, ptr @given, align 8
  %roots.at = getelementptr i64, ptr @given, i64 1
  %roots = load ptr, ptr %roots.at, align 8
  %samples.at = getelementptr i64, ptr @given, i64 2
  %samples = load i64, ptr %samples.at, align 8
  %columns = mul i64 %samples, {n.inputs}
  %g = getelementptr double, ptr %numbers, i64 %columns
  %count = add i64 %columns, {n.parameters}
  %nan = call i1 @nan(ptr %numbers, i64 %count)
  br i1 %nan, label %refuse, label %compute
refuse:
  ret i64 1
compute:
  call void @llvm.memset.p0.i64(ptr @sums, i8 0, i64 {8 * n.sums}, i1 false)
  %flag.shared = getelementptr double, ptr @shared, i64 {FLAG}
  store double 0.0, ptr %flag.shared, align 8
{loop("j", str(n.once), once) if n.once else ""}
{loop("first", "%samples", group(n), LANES * n.blocks) if n.each else ""}
  call void @mean(i64 %samples)
  %flag.at = getelementptr double, ptr @results, i64 {FLAG}
  %flag = load double, ptr %flag.at, align 8
  %bad = fcmp une double %flag, 0.0
  %result = zext i1 %bad to i64
  ret i64 %result
}}"""


def frame(n: Sizes, table: Sequence[Row]) -> str:
    """Return all of it; ``table`` is that of `gather`."""
    declared = f"""\
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare i64 @llvm.smin.i64(i64, i64)
declare i1 @llvm.vector.reduce.or.v{LANES}i1({T})
declare double @llvm.vector.reduce.fadd.{KIND}(double, {V})"""
    lines = [f"declare void @once{i}({ONCE})" for i in range(n.once)]
    lines += [f"declare void @each{i}({EACH})" for i in range(n.each)]
    gathers = (gather(length, n.slots) for length in n.rows)
    rest = (memory(n, table), nan(), cut(n.slots), mean(n.sums), *gathers, step(n))
    return "\n\n".join([declared, *lines, *rest])
