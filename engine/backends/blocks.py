"""The frame of a program in machine code: all samples, in blocks of four."""

from __future__ import annotations

from typing import NamedTuple

from engine.backends.gather import MEAN, gather
from engine.backends.vector import V

FRAMES = 4  # blocks whose values are kept, until they are added up

#: What the functions are told. Where to find, of what all samples share, the parameters, what is kept, and
#: what is added to each sum; of a block, the first two in all lanes, the inputs, its slots, its roots.
ONCE = "ptr noalias %g, ptr noalias %c, ptr noalias %b"
EACH = "ptr noalias %p, ptr noalias %x, ptr noalias %w, ptr noalias %r, i64 %samples"

#: What a call is told: the number of samples; where to find what is kept of all samples, and of each block;
#: the sums, and those of a last block that is not full; the rows of `gather`; and the results.
TABLE = ("samples", "c", "b", "p", "w", "r", "s", "t", "rows", "y")

#: Whether there is a NaN; and each number in all lanes.
PACKING = f"""\
define internal i1 @nan(ptr noalias %from, i64 %count) noinline {{
start:
  br label %four
four:
  %i = phi i64 [0, %start], [%next, %four]
  %so_far = phi <4 x i1> [zeroinitializer, %start], [%worse, %four]
  %here = getelementptr double, ptr %from, i64 %i
  %x = load {V}, ptr %here, align 8
  %nan = fcmp uno {V} %x, %x
  %worse = or <4 x i1> %so_far, %nan
  %next = add i64 %i, 4
  %more = icmp slt i64 %next, %count
  br i1 %more, label %four, label %end
end:
  %bits = bitcast <4 x i1> %worse to i4
  %found = icmp ne i4 %bits, 0
  ret i1 %found
}}

define internal void @spread(ptr noalias %from, ptr noalias %to, i64 %count) noinline {{
start:
  %any = icmp sgt i64 %count, 0
  br i1 %any, label %one, label %end
one:
  %i = phi i64 [0, %start], [%next, %one]
  %source = getelementptr double, ptr %from, i64 %i
  %target = getelementptr {V}, ptr %to, i64 %i
  %x = load double, ptr %source, align 8
  %x1 = insertelement {V} poison, double %x, i64 0
  %x4 = shufflevector {V} %x1, {V} poison, <4 x i32> zeroinitializer
  store {V} %x4, ptr %target, align 32
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %count
  br i1 %more, label %one, label %end
end:
  ret void
}}"""


class Sizes(NamedTuple):
    """How many there are of everything: functions, numbers, slots of a block, rows of `gather`, sums."""

    once: int
    each: int
    parameters: int
    inputs: int
    kept: int
    slots: int
    rows: int
    sums: int


def step(n: Sizes) -> str:
    """The function that is called: all samples, four by four.

    Its arguments say where to find the TABLE; and the columns of the inputs, one behind the other, then the
    parameters, and three more numbers. If there is a NaN among them, the first result is NaN, and nothing
    else has run.
    """

    def calls(what: str, count: int, arguments: str) -> str:
        return "\n".join(f"  call void @{what}{i}({arguments})" for i in range(count))

    loads = "\n".join(
        f"  %{name}.at = getelementptr i64, ptr %table, i64 {place}\n"
        f"  %{name} = load {'i64' if name == 'samples' else 'ptr'}, ptr %{name}.at, align 8"
        for place, name in enumerate(TABLE)
    )
    return f"""\
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

{PACKING}

{gather(FRAMES, n.slots)}

{gather(1, n.slots)}

{MEAN}

define void @step(ptr noalias %table, ptr noalias %x) {{
check:
{loads}
  %columns = mul i64 %samples, {n.inputs}
  %g = getelementptr double, ptr %x, i64 %columns
  %numbers = add i64 %columns, {n.parameters}
  %nan = call i1 @nan(ptr %x, i64 %numbers)
  br i1 %nan, label %refuse, label %start
refuse:
  store double 0x7FF8000000000000, ptr %y, align 32
  ret void
start:
  call void @llvm.memset.p0.i64(ptr %s, i8 0, i64 {32 * n.sums}, i1 false)
  call void @llvm.memset.p0.i64(ptr %b, i8 0, i64 {8 * n.sums}, i1 false)
{calls("once", n.once, "ptr %g, ptr %c, ptr %b")}
  call void @spread(ptr %g, ptr %p, i64 {n.parameters})
  %p.kept = getelementptr {V}, ptr %p, i64 {n.parameters}
  call void @spread(ptr %c, ptr %p.kept, i64 {n.kept})
  %end = getelementptr i64, ptr %rows, i64 {4 * n.rows}
  br label %block
block:
  %i = phi i64 [0, %start], [%next, %more]
  %frame = phi i64 [0, %start], [%frame1, %more]
  %first = mul i64 %frame, {n.slots}
  %wi = getelementptr {V}, ptr %w, i64 %first
  %xi = getelementptr double, ptr %x, i64 %i
  %ri = getelementptr double, ptr %r, i64 %i
{calls("each", n.each, "ptr %p, ptr %xi, ptr %wi, ptr %ri, i64 %samples")}
  %next = add i64 %i, 4
  %is_last = icmp sge i64 %next, %samples
  %is_full = icmp eq i64 %frame, {FRAMES - 1}
  br i1 %is_last, label %few, label %any
any:
  br i1 %is_full, label %all, label %more
all:
  call void @gather{FRAMES}(ptr %w, ptr %s, ptr %rows, ptr %end)
  br label %more
more:
  %frame0 = add i64 %frame, 1
  %frame1 = and i64 %frame0, {FRAMES - 1}
  br label %block
few:
  %f = phi i64 [0, %block], [%f1, %one]
  %f.first = mul i64 %f, {n.slots}
  %wf = getelementptr {V}, ptr %w, i64 %f.first
  %f1 = add i64 %f, 1
  %f.last = icmp eq i64 %f, %frame
  %begun = icmp ne i64 %next, %samples
  %cut = and i1 %f.last, %begun
  br i1 %cut, label %last, label %one
one:
  call void @gather1(ptr %wf, ptr %s, ptr %rows, ptr %end)
  br i1 %f.last, label %finish, label %few
last:
  call void @llvm.memset.p0.i64(ptr %t, i8 0, i64 {32 * n.sums}, i1 false)
  call void @gather1(ptr %wf, ptr %t, ptr %rows, ptr %end)
  %left = sub i64 %samples, %i
  call void @take(ptr %t, ptr %s, i64 %left, i64 {n.sums})
  br label %finish
finish:
  call void @mean(ptr %s, ptr %b, ptr %y, i64 %samples, i64 {n.sums})
  ret void
}}
"""
