"""Machine code for the nodes of a graph: functions for each pattern of nodes, written from the table.

The function of a single node runs for consecutive nodes of one kind; that of a larger pattern runs for
consecutive occurrences. Both read from arrays which nodes these are, and where their parents are, so they
serve every graph. At its end a function jumps to that of the next call.

The arguments of the functions: %values and %grads have a number, or a vector of samples, for each node.
%args is the address of the positions of the parents, and %node the position of the node: both advance from
call to call, and go back in the backward pass. %call is the address of the call, two numbers: the place of
the function in %table, and the count (of occurrences; of arguments, if a loop runs over them). The table
begins with a vector that is not 0 if a number was not finite.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from engine.compiler.backends.llvm import vecmath
from engine.compiler.backends.llvm.builder import LANES, I, T, V
from engine.compiler.backends.llvm.emit import Branches, Lanes, Lines
from engine.compiler.backends.llvm.kernels import loop
from engine.compiler.backends.llvm.patterns import Kind, Pattern, Step
from engine.compiler.backends.llvm.reductions import REDUCTIONS
from engine.formula.simplify import Simplifier, TreeBuilder
from engine.formula.tree import Interpreter, Tree, interpret

R = TypeVar("R")

WRITTEN = (1.0, 2.0)  # the plain numbers that become part of the machine code, as the exponent of a square
ARGUMENTS = "ptr noalias %values, ptr noalias %grads, ptr %args, ptr %call, ptr %table, i64 %node"
PASSED = "ptr %values, ptr %grads, ptr %args.next, ptr %call.next, ptr %table, i64 %node.next"


class Function(NamedTuple):
    """The text of a function."""

    text: str  #: its arguments and its instructions
    words: frozenset[str]  #: the words that it calls on numbers
    wide: frozenset[str]  #: the words that it calls on vectors
    lasting: bool  #: whether other graphs are likely to need it


def function(pattern: Pattern, backward: bool, width: int) -> Function:
    """Return the function for one pattern.

    Args:
        pattern: the nodes.
        backward: whether it adds to the gradients of the parents, or computes the values.
        width: the number of samples: 1, or that of the lanes of a vector.
    """
    lines = Lanes() if width > 1 else Branches("i.loop")
    body, kind = Body(lines, pattern), pattern.steps[0].kind
    if backward and not any(step.kind.needs_grad for step in pattern.steps):
        text = ""  # it only goes back
    elif not kind.arity:
        text = REDUCTIONS[type(kind.op)](lines, kind.needs_grad, backward)
    else:
        text = loop("i", "%count", body.backward() if backward else body.forward())
    nodes = f"mul i64 %count, {len(pattern.steps)}" if kind.arity else "add i64 1, 0"
    size = f"mul i64 %count, {pattern.arity or 1}"
    start, move, by = ("next", "sub", "%back") if backward else ("this", "add", "%size")
    flag = (
        f"""\
  %before = load {lines.whole}, ptr %table, align 8
  %raised = or {lines.whole} %before, %worse
  store {lines.whole} %raised, ptr %table, align 8"""
        if body.flagged
        else ""
    )
    text = f"""\
({ARGUMENTS}) {{
{field("call", "count", 1)}
  %nodes = {nodes}
  %size = {size}
  %back = sub i64 0, %size
  %args.this = getelementptr i32, ptr %args, i64 0
  %node.this = add i64 %node, 0
  %args.next = getelementptr i32, ptr %args, i64 {by}
  %node.next = {move} i64 %node, %nodes
  %parents = getelementptr i32, ptr %args.{start}, i64 0
  %first = add i64 %node.{start}, 0
{text}
{flag}
  %call.next = getelementptr [2 x i32], ptr %call, i64 1
{JUMP.replace("call void", "musttail call void")}
  ret void
}}"""
    return Function(text, *body.words(), lasting=len(pattern.steps) == 1)


def field(call: str, name: str, place: int) -> str:
    """Define ``%name``: a field of a call."""
    return f"""\
  %{name}.at = getelementptr [2 x i32], ptr %{call}, i64 0, i64 {place}
  %{name}.short = load i32, ptr %{name}.at, align 4
  %{name} = sext i32 %{name}.short to i64"""


#: Run the function of the next call.
JUMP = f"""\
{field("call.next", "place", 0)}
  %function.at = getelementptr ptr, ptr %table, i64 %place
  %function = load ptr, ptr %function.at, align 8
  call void %function({PASSED})"""


class Body:
    """Writes the instructions for occurrence %i of a pattern; its nodes may be arguments of the next one.

    If there is one sample, consecutive nodes of one kind that do not need each other are computed in the
    lanes of a vector.
    """

    def __init__(self, lines: Lines, pattern: Pattern) -> None:
        self.lines, self.steps, self.used, self.arity = lines, *pattern, pattern.arity
        self.packed = lines if isinstance(lines, Lanes) else Lanes()  # writes what is computed in lanes
        self.packed.rows = lines.rows

    @property
    def flagged(self) -> bool:
        """Whether it notes that a number is not finite."""
        return any(it.flag != it.number(0.0) for it in (self.lines, self.packed))

    def words(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the words that are called on numbers, and those that are called on vectors."""
        one = set() if self.lines is self.packed else self.lines.words
        return frozenset(one), frozenset(self.packed.words)

    def forward(self) -> str:
        """Return the instructions that compute the values."""
        results: list[str] = []
        for group in self._groups():
            args = [[results[-1 - p] if p < 0 else self._load("values", p) for p in it.args] for it in group]
            [ys] = self._results(group[0].kind, args)
            for y in ys:
                self._store(y, "values", -1 - len(results))
                results.append(y)
        return self._text("%i")

    def backward(self) -> str:
        """Return the instructions that add to the gradients of the arguments."""
        sums: dict[int, str] = {}  # of the contributions to gradients
        end = len(self.steps)
        for group in reversed(list(self._groups())):
            end -= len(group)
            kind = group[0].kind
            if not kind.needs_grad:
                continue
            nodes = range(end, end + len(group))
            upstream = [self._gradient(-1 - i, sums, self.used[i]) for i in nodes]
            for i in nodes:
                if self.used[i]:  # the next pass begins with 0
                    self._store(self.lines.number(0.0), "grads", -1 - i)
            args = [[self._load("values", p) for p in it.args] for it in group]
            ys = [self._load("values", -1 - i) for i in nodes]
            for k, products in zip(kind.needs_grad, self._results(kind, args, ys, upstream)):
                for step, product in zip(group, products):
                    p = step.args[k]
                    sums[p] = self._add(sums[p], product) if p in sums else product
        for p in sums:
            if p >= 0:
                self._store(self._gradient(p, sums, True), "grads", p)
        return self._text("%last.i")

    def _groups(self) -> Iterator[list[Step]]:
        """Iterate over the nodes, in groups that are computed together."""
        group: list[Step] = []
        for i, step in enumerate(self.steps):
            fits = group and len(group) < LANES and step.kind == group[0].kind and self._packs(step.kind)
            if group and not (fits and all(p >= len(group) - i for p in step.args)):
                yield group
                group = []
            group.append(step)
        yield group

    def _packs(self, kind: Kind) -> bool:
        """Return whether several nodes are computed in the time of one: no function runs lane by lane."""
        probe, args = Lanes(), [f"%a{k}" for k in range(kind.arity)]
        for y in (), ("%y",):
            _results(probe, kind, args, *y)
        return (
            self.lines is not self.packed
            and not probe.words - vecmath.SERIES.keys() - vecmath.INTRINSIC.keys()
        )

    def _results(
        self, kind: Kind, args: list[list[str]], ys: Sequence[str] = (), upstream: Sequence[str] = ()
    ) -> list[list[str]]:
        """Return y, or the derivatives that are needed times the upstream gradients, of some nodes."""
        if len(args) == 1:
            found = _results(self.lines, kind, args[0], *ys)
            return [[self._product(self.lines, upstream[0], it)] if upstream else [it] for it in found]
        columns = [self._pack(column) for column in zip(*args)]
        found = _results(self.packed, kind, columns, *([self._pack(ys)] if ys else []))
        if upstream:
            packed = self._pack(upstream)
            found = [self._product(self.packed, packed, it) for it in found]
        emit = self.lines.emit
        return [[emit(f"extractelement {V} {it}, i64 {lane}") for lane in range(len(args))] for it in found]

    def _pack(self, numbers: Sequence[str]) -> str:
        """Return a vector of some numbers; the last one is repeated in the lanes that are left."""
        vector = "poison"
        for lane in range(LANES):
            number = numbers[min(lane, len(numbers) - 1)]
            vector = self.lines.emit(f"insertelement {V} {vector}, double {number}, i64 {lane}")
        return vector

    def _product(self, lines: Lines, a: str, b: str) -> str:
        return lines.emit(f"fmul contract {lines.type} {a}, {b}")

    def _add(self, a: str, b: str) -> str:
        return self.lines.emit(f"fadd contract {self.lines.type} {a}, {b}")

    def _gradient(self, p: int, sums: Mapping[int, str], stored: bool) -> str:
        """Return the gradient of a node: what is stored, and what the pattern adds to it."""
        if p not in sums:
            return self._load("grads", p)
        return self._add(self._load("grads", p), sums[p]) if stored else sums[p]

    def _address(self, memory: str, p: int) -> str:
        """Return the address of the value or gradient of an argument or, if p < 0, a node of the pattern."""
        emit = self.lines.emit
        if p < 0:
            node = emit(f"add i64 %here, {-1 - p}")
        else:
            at = emit(f"add i64 %at, {p}")
            short = emit(f"load i32, ptr {emit(f'getelementptr i32, ptr %parents, i64 {at}')}, align 4")
            node = emit(f"sext i32 {short} to i64")
        return emit(f"getelementptr {self.lines.type}, ptr %{memory}, i64 {node}")

    def _load(self, memory: str, p: int) -> str:
        return self.lines.emit(f"load {self.lines.type}, ptr {self._address(memory, p)}, align 8")

    def _store(self, y: str, memory: str, p: int) -> None:
        address = self._address(memory, p)
        self.lines.rows.append(f"  store {self.lines.type} {y}, ptr {address}, align 8")

    def _text(self, occurrence: str) -> str:
        """Return all instructions, with those that note whether the numbers are finite."""
        whole = self.lines.whole
        head = f"""\
  %last = sub i64 %count, 1
  %last.i = sub i64 %last, %i
  %steps = mul i64 {occurrence}, {len(self.steps)}
  %here = add i64 %first, %steps
  %at = mul i64 {occurrence}, {self.arity}"""
        tail = []
        if self.flagged:
            head = f"  %so_far = phi {whole} [zeroinitializer, %i.begin], [%worse, %i.latch]\n{head}"
            tail = [
                f"""\
  %flag = bitcast {self.lines.type} {self.lines.flag} to {whole}
  %flag.lanes = bitcast {V} {self.packed.flag} to {I}
  %flag.packed = call i64 @llvm.vector.reduce.or.v{LANES}i64({I} %flag.lanes)
  %flag.both = or {whole} %flag, {"%flag.packed" if whole == "i64" else "%flag.lanes"}
  %worse = or {whole} %so_far, %flag.both"""
            ]
        return "\n".join([head, *self.lines.rows, *tail])


def _results(lines: Lines, kind: Kind, args: Sequence[str], y: str = "") -> list[str]:
    """Return the value of a node or, if its value ``y`` is given, the derivatives that are needed.

    If some arguments are plain numbers that are known, what follows from them is computed here.
    """
    backward = bool(y)
    if not kind.numbers:
        return _formulas(lines, kind, backward, args, y)
    numbers, names = dict(kind.numbers), {f"%a{k}": arg for k, arg in enumerate(args)} | {"%y": y}
    letters: list[Tree] = [numbers.get(k, letter) for k, letter in zip(range(kind.arity), names)]
    trees = _formulas(Simplifier(TreeBuilder()), kind, backward, letters, "%y")
    return [interpret(tree, lines, names) for tree in trees]


def _formulas(interpreter: Interpreter[R], kind: Kind, backward: bool, args: Sequence[R], y: R) -> list[R]:
    if backward:
        return kind.op.derivatives(kind.needs_grad, interpreter, args, y)
    return [kind.op.forward(interpreter, args)]


def graph_pass() -> str:
    """Return the module of ``pass``, which makes calls and returns the flag, and ``stop``, the last call."""
    return f"""\
declare i1 @llvm.vector.reduce.or.v{LANES}i1({T})

define i64 @pass(ptr %values, ptr %grads, ptr %args.next, ptr %call.next, ptr %table, i64 %node.next) {{
  store {I} zeroinitializer, ptr %table, align 8
{JUMP}
  %raised = load {I}, ptr %table, align 8
  %each = icmp ne {I} %raised, zeroinitializer
  %any = call i1 @llvm.vector.reduce.or.v{LANES}i1({T} %each)
  %result = zext i1 %any to i64
  ret i64 %result
}}

define void @stop({ARGUMENTS}) {{
  ret void
}}"""


def module(functions: Mapping[str, Function]) -> str:
    """Return the module of some functions, by their names."""
    one = {word for it in functions.values() for word in it.words}
    many = {word for it in functions.values() for word in it.wide}
    needed = dict.fromkeys(
        [
            f"declare i64 @llvm.vector.reduce.or.v{LANES}i64({I})",
            *vecmath.declarations(one, set()),
            *vecmath.definitions(many),
        ]
    )
    texts = (f"define void @{name}{it.text}" for name, it in functions.items())
    return "\n\n".join([*needed, *texts])
