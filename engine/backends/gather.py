"""How the blocks of samples are added up: in machine code, a loop over products that are kept in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.backends.split import ONE, Product
from engine.backends.vector import V

Row = tuple[int, int, int, int]  # the slots of both factors, the sum, and for how many sums in a row

#: Of the sums of a last block those of the lanes where there is a sample; and the mean of all lanes, to which
#: is added what all samples share.
MEAN = f"""\
define internal void @take(ptr noalias %from, ptr noalias %to, i64 %left, i64 %count) noinline {{
start:
  %left1 = insertelement <4 x i64> poison, i64 %left, i64 0
  %left4 = shufflevector <4 x i64> %left1, <4 x i64> poison, <4 x i32> zeroinitializer
  %alive = icmp ult <4 x i64> <i64 0, i64 1, i64 2, i64 3>, %left4
  br label %one
one:
  %i = phi i64 [0, %start], [%next, %one]
  %source = getelementptr {V}, ptr %from, i64 %i
  %target = getelementptr {V}, ptr %to, i64 %i
  %x = load {V}, ptr %source, align 32
  %sum = load {V}, ptr %target, align 32
  %taken = select <4 x i1> %alive, {V} %x, {V} zeroinitializer
  %both = fadd {V} %sum, %taken
  store {V} %both, ptr %target, align 32
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %count
  br i1 %more, label %one, label %end
end:
  ret void
}}

define internal void @mean(ptr noalias %s, ptr noalias %b, ptr noalias %y,
                           i64 %samples, i64 %count) noinline {{
start:
  %n = uitofp i64 %samples to double
  %n1 = insertelement {V} poison, double %n, i64 0
  %n4 = shufflevector {V} %n1, {V} poison, <4 x i32> zeroinitializer
  br label %four
four:
  %i = phi i64 [0, %start], [%next, %four]
  %s0.at = getelementptr {V}, ptr %s, i64 %i
  %s1.at = getelementptr {V}, ptr %s0.at, i64 1
  %s2.at = getelementptr {V}, ptr %s0.at, i64 2
  %s3.at = getelementptr {V}, ptr %s0.at, i64 3
  %s0 = load {V}, ptr %s0.at, align 32
  %s1 = load {V}, ptr %s1.at, align 32
  %s2 = load {V}, ptr %s2.at, align 32
  %s3 = load {V}, ptr %s3.at, align 32
  %even01 = shufflevector {V} %s0, {V} %s1, <4 x i32> <i32 0, i32 4, i32 2, i32 6>
  %odd01 = shufflevector {V} %s0, {V} %s1, <4 x i32> <i32 1, i32 5, i32 3, i32 7>
  %even23 = shufflevector {V} %s2, {V} %s3, <4 x i32> <i32 0, i32 4, i32 2, i32 6>
  %odd23 = shufflevector {V} %s2, {V} %s3, <4 x i32> <i32 1, i32 5, i32 3, i32 7>
  %pairs01 = fadd {V} %even01, %odd01
  %pairs23 = fadd {V} %even23, %odd23
  %low = shufflevector {V} %pairs01, {V} %pairs23, <4 x i32> <i32 0, i32 1, i32 4, i32 5>
  %high = shufflevector {V} %pairs01, {V} %pairs23, <4 x i32> <i32 2, i32 3, i32 6, i32 7>
  %total = fadd {V} %low, %high
  %mean = fdiv {V} %total, %n4
  %b.at = getelementptr double, ptr %b, i64 %i
  %y.at = getelementptr double, ptr %y, i64 %i
  %base = load {V}, ptr %b.at, align 32
  %result = fadd {V} %mean, %base
  store {V} %result, ptr %y.at, align 32
  %next = add i64 %i, 4
  %more = icmp slt i64 %next, %count
  br i1 %more, label %four, label %end
end:
  ret void
}}"""


def slots(products: Sequence[Product]) -> dict[str, int]:
    """A slot for each factor, so that second factors that follow each other are neighbours.

    A bias is a weight whose input is 1. For it to be a neighbour, too, there is a 1 behind each last input.

    >>> slots([Product("d", 2, "a0"), Product("d", 3, "a1"), Product("d", 4, "1")])
    {'a0': 0, 'a1': 1, '1 after a1': 2, 'd': 3}
    """
    found: dict[str, int] = {}
    for right in seconds(products):
        found.setdefault(right, len(found))
    for product in products:
        found.setdefault(product.left, len(found))
    return found


def seconds(products: Sequence[Product]) -> list[str]:
    """The names of the second factors; of each 1, what it stands behind."""
    names, last = [], ""
    for product in products:
        last = last if product.right == ONE else product.right
        names.append(f"{ONE} after {last}" if product.right == ONE else last)
    return names


def rows(products: Sequence[Product], places: Mapping[str, int]) -> list[Row]:
    """The table: of products with the same first factor, neighbouring second factors and sums, one row.

    >>> products = [Product("d", 2, "a0"), Product("d", 3, "a1"), Product("d", 4, "1")]
    >>> rows(products, slots(products))
    [(3, 0, 2, 3)]
    """
    found: list[Row] = []
    for product, second in zip(products, seconds(products)):
        left, right, place = places[product.left], places[second], product.place
        if found:
            *same, count = found[-1]
            if same == [left, right - count, place - count]:
                found[-1] = (left, right - count, place - count, count + 1)
                continue
        found.append((left, right, place, 1))
    return found


def gather(frames: int, size: int) -> str:
    """The function that adds to the sums what so many blocks say.

    Args:
        frames: the number of blocks.
        size: the slots of each; those of one block lie behind those of the other.
    """
    first = "\n".join(
        f"""\
  %w{q} = getelementptr {V}, ptr %w, i64 {q * size}
  %left{q}.at = getelementptr {V}, ptr %w{q}, i64 %left.slot
  %left{q} = load {V}, ptr %left{q}.at, align 32
  %rights{q} = getelementptr {V}, ptr %w{q}, i64 %right.slot"""
        for q in range(frames)
    )
    more = "\n".join(
        f"""\
  %right{q}.at = getelementptr {V}, ptr %rights{q}, i64 %i
  %right{q} = load {V}, ptr %right{q}.at, align 32
  %product{q} = fmul contract {V} %left{q}, %right{q}
  %sum{q + 1} = fadd contract {V} %sum{q}, %product{q}"""
        for q in range(frames)
    )
    return f"""\
define internal void @gather{frames}(ptr noalias %w, ptr noalias %s,
                                     ptr noalias %rows, ptr noalias %end) noinline {{
start:
  %any = icmp ult ptr %rows, %end
  br i1 %any, label %row, label %done
row:
  %left.at = phi ptr [%rows, %start], [%next, %after]
  %right.at = getelementptr i64, ptr %left.at, i64 1
  %place.at = getelementptr i64, ptr %left.at, i64 2
  %count.at = getelementptr i64, ptr %left.at, i64 3
  %left.slot = load i64, ptr %left.at, align 8
  %right.slot = load i64, ptr %right.at, align 8
  %place = load i64, ptr %place.at, align 8
  %count = load i64, ptr %count.at, align 8
  %sums = getelementptr {V}, ptr %s, i64 %place
{first}
  br label %one
one:
  %i = phi i64 [0, %row], [%i1, %one]
  %sum.at = getelementptr {V}, ptr %sums, i64 %i
  %sum0 = load {V}, ptr %sum.at, align 32
{more}
  store {V} %sum{frames}, ptr %sum.at, align 32
  %i1 = add i64 %i, 1
  %another = icmp slt i64 %i1, %count
  br i1 %another, label %one, label %after
after:
  %next = getelementptr i64, ptr %left.at, i64 4
  %more = icmp ult ptr %next, %end
  br i1 %more, label %row, label %done
done:
  ret void
}}"""
