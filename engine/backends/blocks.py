"""The frame of a program in machine code: all samples, in blocks of four."""

from __future__ import annotations

from engine.backends.vectors import V

#: What each function is told: where to find the parameters (twice), the inputs, the slots, the sums, the
#: roots, and what all samples share.
POINTERS = "pqxwsrb"


#: Brings the numbers to where the vectors are: each parameter into four lanes, the inputs of four samples
#: side by side. Both say whether there is a NaN.
PACKING = f"""\
define internal i1 @spread(ptr noalias %from, ptr noalias %to, i64 %count) noinline {{
start:
  %any = icmp sgt i64 %count, 0
  br i1 %any, label %one, label %none
one:
  %i = phi i64 [0, %start], [%next, %one]
  %bad = phi i1 [false, %start], [%worse, %one]
  %source = getelementptr double, ptr %from, i64 %i
  %target = getelementptr {V}, ptr %to, i64 %i
  %x = load double, ptr %source, align 8
  %x1 = insertelement {V} poison, double %x, i64 0
  %x4 = shufflevector {V} %x1, {V} poison, <4 x i32> zeroinitializer
  store {V} %x4, ptr %target, align 32
  %nan = fcmp uno double %x, %x
  %worse = or i1 %bad, %nan
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %count
  br i1 %more, label %one, label %end
end:
  ret i1 %worse
none:
  ret i1 false
}}

define internal i1 @pack(ptr noalias %from, ptr noalias %to, i64 %inputs, i64 %blocks) noinline {{
start:
  %count = mul i64 %inputs, %blocks
  %any = icmp sgt i64 %count, 0
  br i1 %any, label %column, label %none
column:
  %k = phi i64 [0, %start], [%k1, %end]
  %bad = phi <4 x i1> [zeroinitializer, %start], [%worse, %end]
  %first = mul i64 %k, %blocks
  br label %four
four:
  %i = phi i64 [0, %column], [%next, %four]
  %so_far = phi <4 x i1> [%bad, %column], [%worse, %four]
  %here = add i64 %first, %i
  %row = mul i64 %i, %inputs
  %there = add i64 %row, %k
  %source = getelementptr {V}, ptr %from, i64 %here
  %target = getelementptr {V}, ptr %to, i64 %there
  %x = load {V}, ptr %source, align 32
  store {V} %x, ptr %target, align 32
  %nan = fcmp uno {V} %x, %x
  %worse = or <4 x i1> %so_far, %nan
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %blocks
  br i1 %more, label %four, label %end
end:
  %k1 = add i64 %k, 1
  %again = icmp slt i64 %k1, %inputs
  br i1 %again, label %column, label %done
done:
  %bits = bitcast <4 x i1> %worse to i4
  %found = icmp ne i4 %bits, 0
  ret i1 %found
none:
  ret i1 false
}}"""


def step(once: int, each: int, sums: int, parameters: int, inputs: int) -> str:
    """The function that is called: all samples, four by four.

    Its arguments are the number of blocks of four, of which the last may hold fewer samples; how many that
    holds; the number of samples; and where to find: the parameters; the inputs, column by column; room for
    both as the functions take them; the slots; the sums; the sums of the last block; the roots; what all
    samples share; the results. If there is a NaN among the parameters or the inputs, the first result is
    NaN, and nothing else has run.
    """

    def calls(what: str, count: int, x: str, s: str, r: str) -> str:
        arguments = ", ".join(f"ptr %{pointer}" for pointer in ("p", "p", x, "w", s, r, "b"))
        return "\n".join(f"  call void @{what}{i}({arguments})" for i in range(count))

    return f"""\
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

{PACKING}

define void @step(i64 %blocks, i64 %tail, i64 %n,
                  ptr %given, ptr %columns, ptr %p, ptr %x, ptr %w, ptr %s, ptr %t, ptr %r, ptr %b, ptr %y) {{
check:
  %nan1 = call i1 @spread(ptr %given, ptr %p, i64 {parameters})
  %nan2 = call i1 @pack(ptr %columns, ptr %x, i64 {inputs}, i64 %blocks)
  %nan = or i1 %nan1, %nan2
  br i1 %nan, label %refuse, label %start
refuse:
  store double 0x7FF8000000000000, ptr %y, align 8
  ret void
start:
  call void @llvm.memset.p0.i64(ptr %s, i8 0, i64 {32 * sums}, i1 false)
  call void @llvm.memset.p0.i64(ptr %t, i8 0, i64 {32 * sums}, i1 false)
  %last = sub i64 %blocks, 1
{calls("once", once, "x", "t", "r")}
  br label %block
block:
  %i = phi i64 [0, %start], [%next, %block]
  %offset = mul i64 %i, {inputs}
  %xi = getelementptr {V}, ptr %x, i64 %offset
  %ri = getelementptr {V}, ptr %r, i64 %i
  %ends = icmp eq i64 %i, %last
  %si = select i1 %ends, ptr %t, ptr %s
{calls("each", each, "xi", "si", "ri")}
  %next = add i64 %i, 1
  br i1 %ends, label %prepare, label %block
prepare:
  %tail1 = insertelement <4 x i64> poison, i64 %tail, i64 0
  %tail4 = shufflevector <4 x i64> %tail1, <4 x i64> poison, <4 x i32> zeroinitializer
  %alive = icmp ult <4 x i64> <i64 0, i64 1, i64 2, i64 3>, %tail4
  %samples = uitofp i64 %n to double
  br label %sum
sum:
  %j = phi i64 [0, %prepare], [%after, %sum]
  %sj = getelementptr {V}, ptr %s, i64 %j
  %tj = getelementptr {V}, ptr %t, i64 %j
  %bj = getelementptr double, ptr %b, i64 %j
  %yj = getelementptr double, ptr %y, i64 %j
  %full = load {V}, ptr %sj, align 32
  %rest = load {V}, ptr %tj, align 32
  %masked = select <4 x i1> %alive, {V} %rest, {V} zeroinitializer
  %all = fadd {V} %full, %masked
  %low = shufflevector {V} %all, {V} poison, <2 x i32> <i32 0, i32 1>
  %high = shufflevector {V} %all, {V} poison, <2 x i32> <i32 2, i32 3>
  %pair = fadd <2 x double> %low, %high
  %left = extractelement <2 x double> %pair, i64 0
  %right = extractelement <2 x double> %pair, i64 1
  %total = fadd double %left, %right
  %mean = fdiv double %total, %samples
  %base = load double, ptr %bj, align 8
  %result = fadd double %mean, %base
  store double %result, ptr %yj, align 8
  %after = add i64 %j, 1
  %done = icmp eq i64 %after, {sums}
  br i1 %done, label %end, label %sum
end:
  ret void
}}
"""
