"""The sums over the samples: loops of machine code over a table of products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from engine.compiler.backends.llvm.builder import KIND, V
from engine.compiler.backends.llvm.kernels import loop
from engine.compiler.backends.llvm.schedule import ONE, Product

LONGEST = 8  # sums of a row


class Row(NamedTuple):
    """Products with the same first factor, whose second factors and sums are neighbours."""

    length: int  #: the number of products
    right: int  #: the slot of the first second factor
    left: int  #: the slot of the first factor
    place: int  #: the first sum


def slots(products: Sequence[Product]) -> dict[str, int]:
    """Return a slot for each factor, such that consecutive second factors are neighbours.

    A bias is a weight whose input is 1. For it to be a neighbour, too, there is a 1 after each last input.

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
    """Return the names of the second factors; that of a 1 names the factor that it comes after."""
    names, last = [], ""
    for product in products:
        last = last if product.right == ONE else product.right
        names.append(f"{ONE} after {last}" if product.right == ONE else last)
    return names


def rows(products: Sequence[Product], places: Mapping[str, int]) -> list[Row]:
    """Return the table, sorted by length; rows of the same second factors are consecutive.

    >>> products = [Product("d", 2, "a0"), Product("d", 3, "a1"), Product("d", 4, "1")]
    >>> rows(products, slots(products))
    [Row(length=3, right=0, left=3, place=2)]
    """
    runs: list[Row] = []
    for product, second in zip(products, seconds(products)):
        left, right, place = places[product.left], places[second], product.place
        if runs:
            length, first, same, start = runs[-1]
            if (same, first, start) == (left, right - length, place - length):
                runs[-1] = Row(length + 1, first, same, start)
                continue
        runs.append(Row(1, right, left, place))
    return sorted(part for run in runs for part in parts(run))


def parts(run: Row) -> list[Row]:
    """Divide a row into parts of about equal length, none with more sums than the processor has registers."""
    count = -(-run.length // LONGEST)
    ends = [run.length * i // count for i in range(count + 1)]
    return [Row(end - at, run.right + at, run.left, run.place + at) for at, end in pairwise(ends)]


def gather(length: int, size: int) -> str:
    """Define the function that adds the products of some blocks, in rows of one length, to the sums.

    Args:
        length: the length of the rows.
        size: the number of slots of a block; the blocks are stored one after another.
    """

    def each(text: str) -> str:
        return "\n".join(text.replace("#", str(i)) for i in range(length))

    adds = each(f"  %so_far# = phi {V} [zeroinitializer, %i.begin], [%more#, %i.latch]")
    adds += f"""
  %slots = getelementptr [{size} x {V}], ptr @slots, i64 %i
  %left.at = getelementptr {V}, ptr %slots, i64 %left.slot
  %left = load {V}, ptr %left.at, align 32
  %right.at = getelementptr {V}, ptr %slots, i64 %right.slot
"""
    adds += each(f"""\
  %right.at# = getelementptr {V}, ptr %right.at, i64 #
  %right# = load {V}, ptr %right.at#, align 32
  %product# = fmul contract {V} %left, %right#
  %more# = fadd contract {V} %so_far#, %product#""")
    row = f"""\
  %right.slot.at = getelementptr [3 x i64], ptr %rows, i64 %row, i64 0
  %left.slot.at = getelementptr [3 x i64], ptr %rows, i64 %row, i64 1
  %place.at = getelementptr [3 x i64], ptr %rows, i64 %row, i64 2
  %right.slot = load i64, ptr %right.slot.at, align 8
  %left.slot = load i64, ptr %left.slot.at, align 8
  %place = load i64, ptr %place.at, align 8
{loop("i", "%blocks", adds)}
"""
    row += each(f"""\
  %place# = add i64 %place, #
  %sum.at# = getelementptr double, ptr @sums, i64 %place#
  %before# = load double, ptr %sum.at#, align 8
  %total# = call reassoc double @llvm.vector.reduce.fadd.{KIND}(double %before#, {V} %more#)
  store double %total#, ptr %sum.at#, align 8""")
    return f"""\
define internal void @gather{length}(ptr %rows, i64 %count, i64 %blocks) noinline {{
{loop("row", "%count", row)}
  ret void
}}"""
