"""The frame of a program in machine code: all samples, in blocks of four."""

from __future__ import annotations

from engine.backends.vectors import V

#: What each function is told: where to find the parameters (twice), the inputs, the slots, the sums, the
#: roots, and what all samples share.
POINTERS = "pqxwsrb"


def step(once: int, each: int, sums: int, inputs: int) -> str:
    """The function that is called: all samples, four by four.

    Its arguments are the number of blocks of four, of which the last may hold fewer samples; how many that
    holds; the number of samples; and where to find the parameters, the inputs (block by block, in each input
    by input), the slots, the sums, the sums of the last block, the roots, what all samples share, and the
    results.
    """

    def calls(what: str, count: int, x: str, s: str, r: str) -> str:
        arguments = ", ".join(f"ptr %{pointer}" for pointer in ("p", "p", x, "w", s, r, "b"))
        return "\n".join(f"  call void @{what}{i}({arguments})" for i in range(count))

    return f"""\
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

define void @step(i64 %blocks, i64 %tail, i64 %n,
                  ptr %p, ptr %x, ptr %w, ptr %s, ptr %t, ptr %r, ptr %b, ptr %y) {{
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
