"""Formulas as LLVM's assembly language, for one number or for samples in the lanes of a vector."""

from __future__ import annotations

from collections.abc import Callable

from engine.compiler.backends.llvm import vecmath as vectors
from engine.compiler.backends.llvm.builder import LANES, I, T, V, bits, splat
from engine.formula.arithmetic import CONSTANTS, PARTIAL
from engine.formula.tree import Interpreter

TESTS = {"<": "olt", "<=": "ole", ">": "ogt", ">=": "oge"}
ARITHMETIC = {"+": "fadd", "-": "fsub", "*": "fmul", "/": "fdiv"}


class Lines(Interpreter[str]):
    """Writes one function of plain numbers. An instruction that is written twice runs once."""

    type, test, true, whole = "double", "i1", "true", "i64"

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.words: set[str] = set()  # the functions that it calls
        self.flag = self.number(0.0)  # a sum of 0 for every result that is finite, and of NaN for any other
        self._known: dict[str, str] = {}
        self._flagged: set[tuple[str, str]] = set()
        self._mask = ""  # where the current branch is taken; "" for everywhere

    def emit(self, instruction: str) -> str:
        """Return the name of the result of an instruction."""
        if instruction not in self._known:
            self._known[instruction] = name = f"%v{len(self.rows)}"
            self.rows.append(f"  {name} = {instruction}")
        return self._known[instruction]

    def number(self, x: float) -> str:
        return bits(x)

    def called(self, word: str) -> str:
        """Return the name of the function of a word."""
        return vectors.scalar(word)

    def apply(self, word: str, *args: str) -> str:
        if word in CONSTANTS:
            return self.number(CONSTANTS[word])
        if word in TESTS:
            return self.emit(f"fcmp {TESTS[word]} {self.type} {args[0]}, {args[1]}")
        if word == "neg":
            return self.emit(f"fneg {self.type} {args[0]}")
        if word == "sign":
            tests = [
                self.emit(f"fcmp {test} {self.type} {args[0]}, {self.number(0.0)}") for test in ("ogt", "olt")
            ]
            below = self.pick(tests[1], self.number(-1.0), args[0])  # a zero or a NaN is kept
            return self.pick(tests[0], self.number(1.0), below)
        if word in ARITHMETIC:
            y = self.emit(f"{ARITHMETIC[word]} contract {self.type} {args[0]}, {args[1]}")
        elif word == "**" and args[1] == self.number(2.0):
            y = self.emit(f"fmul contract {self.type} {args[0]}, {args[0]}")
        else:
            name = self.called(word)
            self.words.add(word)
            y = self.emit(f"call {self.type} @{name}({', '.join(f'{self.type} {arg}' for arg in args)})")
        plain_divisor = word == "/" and is_number(args[1]) and args[1] != self.number(0.0)
        if word in PARTIAL and not plain_divisor:
            self.watch(y)
        return y

    def choose(self, test: str, then: Callable[[], str], other: Callable[[], str]) -> str:
        outside = self._mask
        self._mask = self.emit(f"and {self.test} {outside}, {test}") if outside else test
        first = then()
        untaken = self.emit(f"xor {self.test} {test}, {self.true}")
        self._mask = self.emit(f"and {self.test} {outside}, {untaken}") if outside else untaken
        second = other()
        self._mask = outside
        return self.pick(test, first, second)

    def pick(self, test: str, then: str, other: str) -> str:
        return self.emit(f"select {self.test} {test}, {self.type} {then}, {self.type} {other}")

    def watch(self, y: str) -> None:
        """Add y - y to the flag in the branch that is taken: it is 0 if y is finite, otherwise NaN."""
        if (y, self._mask) not in self._flagged:
            self._flagged.add((y, self._mask))
            if self._mask:
                y = self.pick(self._mask, y, self.number(0.0))
            note = self.emit(f"fsub {self.type} {y}, {y}")
            first = self.flag == self.number(0.0)
            self.flag = note if first else self.emit(f"fadd {self.type} {self.flag}, {note}")

    # Memory: the letters of the pointers are explained in engine.compiler.backends.llvm.frame

    def place(self, pointer: str, index: int) -> str:
        return self.emit(f"getelementptr {self.type}, ptr %{pointer}, i64 {index}")

    def load(self, pointer: str, index: int) -> str:
        return self.emit(f"load {self.type}, ptr {self.place(pointer, index)}, align 8")

    def store(self, value: str, pointer: str, index: int) -> None:
        self.rows.append(f"  store {self.type} {value}, ptr {self.place(pointer, index)}, align 8")


class Lanes(Lines):
    """Writes one function of a block of samples, one in each lane."""

    type, test, true, whole = V, T, "splat (i1 true)", I

    def number(self, x: float) -> str:
        return splat(x)

    def called(self, word: str) -> str:
        return vectors.name(word)

    def place(self, pointer: str, index: int) -> str:
        match pointer:
            case "x":  # the columns are stored one after another
                first = self.emit(f"mul i64 %samples, {index}")
                return self.emit(f"getelementptr double, ptr %x, i64 {first}")
            case "r" if index:  # and so are the outputs, each in whole vectors
                rounded = self.emit(f"add i64 %samples, {LANES - 1}")
                length = self.emit(f"and i64 {rounded}, -{LANES}")
                first = self.emit(f"mul i64 {length}, {index}")
                return self.emit(f"getelementptr double, ptr %r, i64 {first}")
            case "g" | "c":
                return self.emit(f"getelementptr double, ptr %{pointer}, i64 {index}")
        return super().place(pointer, index)

    def load(self, pointer: str, index: int) -> str:
        if pointer not in "gc":
            return super().load(pointer, index)
        shared = self.emit(f"load double, ptr {self.place(pointer, index)}, align 8")
        first = self.emit(f"insertelement {V} poison, double {shared}, i64 0")
        return self.emit(f"shufflevector {V} {first}, {V} poison, <{LANES} x i32> zeroinitializer")


class Branches(Lines):
    """Writes a part of a function of plain numbers in which only the branch that is taken runs.

    Args:
        block: the name of the block of instructions in which it begins.
    """

    def __init__(self, block: str) -> None:
        super().__init__()
        self.block = block

    def choose(self, test: str, then: Callable[[], str], other: Callable[[], str]) -> str:
        name, flag = f"if{len(self.rows)}", self.flag
        self.rows.append(f"  br i1 {test}, label %{name}.then, label %{name}.else")
        (first, first_flag, one), (second, second_flag, two) = (
            self._branch(f"{name}.{branch}", f"{name}.end", compute, flag)
            for branch, compute in (("then", then), ("else", other))
        )
        self.block = f"{name}.end"
        self.rows.append(f"{self.block}:")
        result = self.emit(f"phi double [{first}, %{one}], [{second}, %{two}]")
        self.flag = flag
        if (first_flag, second_flag) != (flag, flag):
            self.flag = self.emit(f"phi double [{first_flag}, %{one}], [{second_flag}, %{two}]")
        return result

    def _branch(self, block: str, end: str, compute: Callable[[], str], flag: str) -> tuple[str, str, str]:
        """Write a branch; return its result, its flag, and the block in which it ends."""
        known, flagged = self._known.copy(), self._flagged.copy()  # what it computes is not known after it
        self.block, self.flag = block, flag
        self.rows.append(f"{block}:")
        result = compute()
        self.rows.append(f"  br label %{end}")
        self._known, self._flagged = known, flagged
        return result, self.flag, self.block


def is_number(value: str) -> bool:
    """Return whether a value is a number, and not the name of a result."""
    return not value.startswith("%")
