"""Formulas as LLVM's assembly language: four samples at a time, side by side in the lanes of a vector."""

from __future__ import annotations

from collections.abc import Callable

from engine.backends import vectors
from engine.backends.vectors import V, splat
from engine.formula import CONSTANTS, Algebra

TESTS = {"<": "olt", "<=": "ole", ">": "ogt", ">=": "oge"}
ARITHMETIC = {"+": "fadd", "-": "fsub", "*": "fmul", "/": "fdiv"}
#: The words that have no value for some numbers: what Python would raise must be noticed here.
RISKY = {"/", "**", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan"}

ZERO = splat(0.0)


class Lanes(Algebra[str]):
    """Writes one function. What is written twice is computed once."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.words: set[str] = set()  # the functions that it calls
        self.flag = ZERO  # a sum of 0 for every result that is finite, and of NaN for any other
        self._known: dict[str, str] = {}
        self._flagged: set[tuple[str, str]] = set()
        self._mask = ""  # the lanes in which the branch that is being read is taken; "" for all of them

    def emit(self, instruction: str) -> str:
        """The name of the result of an instruction."""
        if instruction not in self._known:
            self._known[instruction] = name = f"%v{len(self._known)}"
            self.rows.append(f"  {name} = {instruction}")
        return self._known[instruction]

    def number(self, x: float) -> str:
        return splat(x)

    def apply(self, word: str, *args: str) -> str:
        if word in CONSTANTS:
            return splat(CONSTANTS[word])
        if word in TESTS:
            return self.emit(f"fcmp {TESTS[word]} {V} {args[0]}, {args[1]}")
        if word == "neg":
            return self.emit(f"fneg {V} {args[0]}")
        if word in ARITHMETIC:
            y = self.emit(f"{ARITHMETIC[word]} contract {V} {args[0]}, {args[1]}")
        elif word == "**" and args[1] == splat(2.0):
            y = self.emit(f"fmul {V} {args[0]}, {args[0]}")
        else:
            self.words.add(word)
            y = self.emit(f"call {V} @{vectors.name(word)}({', '.join(f'{V} {arg}' for arg in args)})")
        plain_divisor = word == "/" and args[1].startswith("<") and args[1] != ZERO
        if word in RISKY and not plain_divisor:
            self.watch(y)
        return y

    def choose(self, test: str, then: Callable[[], str], other: Callable[[], str]) -> str:
        outside = self._mask
        self._mask = self.emit(f"and <4 x i1> {outside}, {test}") if outside else test
        first = then()
        untaken = self.emit(f"xor <4 x i1> {test}, <i1 true, i1 true, i1 true, i1 true>")
        self._mask = self.emit(f"and <4 x i1> {outside}, {untaken}") if outside else untaken
        second = other()
        self._mask = outside
        return self.emit(f"select <4 x i1> {test}, {V} {first}, {V} {second}")

    def watch(self, y: str) -> None:
        """Note if y is not finite in a lane where it counts: y - y is 0, or NaN."""
        if (y, self._mask) not in self._flagged:
            self._flagged.add((y, self._mask))
            if self._mask:
                y = self.emit(f"select <4 x i1> {self._mask}, {V} {y}, {V} {ZERO}")
            self.flag = self.emit(f"fadd {V} {self.flag}, {self.emit(f'fsub {V} {y}, {y}')}")

    # Memory: p the parameters, x the inputs, w the slots, s the sums, r the roots, b what all samples share

    def place(self, pointer: str, index: int, kind: str = V) -> str:
        return self.emit(f"getelementptr {kind}, ptr %{pointer}, i64 {index}")

    def load(self, pointer: str, index: int) -> str:
        return self.emit(f"load {V}, ptr {self.place(pointer, index)}, align 32")

    def store(self, value: str, pointer: str, index: int) -> None:
        self.rows.append(f"  store {V} {value}, ptr {self.place(pointer, index)}, align 32")

    def add(self, value: str, place: int) -> None:
        """Add to one of the sums."""
        old = self.emit(f"load {V}, ptr {self.place('s', place)}, align 32")
        self.store(self.emit(f"fadd contract {V} {old}, {value}"), "s", place)

    def share(self, value: str, place: int) -> None:
        """Set what every sample adds to a sum."""
        one = self.emit(f"extractelement {V} {value}, i64 0")
        self.rows.append(f"  store double {one}, ptr {self.place('b', place, 'double')}, align 8")
