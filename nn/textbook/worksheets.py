"""Examination sheets with small numbers, and their solutions: a net by the Δ rules, or a graph."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, isfinite, tanh
from typing import NamedTuple, TypeAlias

from engine import brief, did_you_mean, is_number
from nn.validation import count, expected

__all__ = ["Marks", "Question", "Worksheet", "check_worksheet", "worksheet"]

Look: TypeAlias = Callable[[str], float]  # the number of an earlier question, or a given one
Formula: TypeAlias = Callable[[Look], float]

STEPS = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)  # the numbers that are given
MOST_WEIGHTS, LARGEST, TRIES = 500, 1000, 2000  # of a net; of the numbers; of draws until they are small
TOLERANCE = 1e-3  # relative, and absolute below 1: answers may be rounded to four digits
ACTIVATIONS: dict[str, tuple[Callable[[float], float], Callable[[float], float], str, str]] = {
    "relu": (lambda z: max(0.0, z), lambda z: float(z > 0), "g(z) = max(0, z)", r"g(z) = \max(0, z)"),
    "linear": (lambda z: z, lambda z: 1.0, "g(z) = z", "g(z) = z"),
    "tanh": (tanh, lambda z: 1 - tanh(z) ** 2, "g(z) = tanh z", r"g(z) = \tanh z"),
    "sigmoid": (
        lambda z: 1 / (1 + exp(-z)) if z > 0 else exp(z) / (1 + exp(z)),  # no student's z overflows
        lambda z: exp(-abs(z)) / (1 + exp(-abs(z))) ** 2,
        "g(z) = 1 / (1 + e⁻ᶻ)",
        r"g(z) = 1 / (1 + e^{-z})",
    ),
}


class Question(NamedTuple):
    """A number that is asked for."""

    name: str  #: such as "Δ1_0": layer 1, neuron 0
    latex: str  #: the name in LaTeX
    rule: str  #: the formula, such as "g'(in_j) Σ_k w_jk Δ_k"
    part: str  #: the part of the sheet
    formula: Formula  #: the number, from earlier ones


@dataclass(frozen=True)
class Worksheet:
    """An examination sheet; ``print`` shows it as Markdown.

    Attributes:
        title: its title.
        given: the given numbers, by name.
        task: the sentences of the task; ``latex_task`` in LaTeX.
        questions: the numbers that are asked for, in order.
        answers: the right number of each question, by name.
    """

    title: str
    given: Mapping[str, float]
    task: str
    latex_task: str
    questions: tuple[Question, ...]

    @property
    def answers(self) -> dict[str, float]:
        """The right number of each question."""
        return self.solve({})

    def solve(self, answers: Mapping[str, float]) -> dict[str, float]:
        """Return the number of each question as it follows from a student's earlier ones, where given."""
        known = dict(self.given)
        found = {}
        for question in self.questions:
            found[question.name] = question.formula(known.__getitem__)
            known[question.name] = answers.get(question.name, found[question.name])
        return found

    def __str__(self) -> str:
        return self.to_markdown()

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def to_markdown(self, solution: bool = False) -> str:
        """Return the sheet, or its solution, as Markdown."""
        lines = [f"# {self.title}{', solution' * solution}", "", self.task, ""]
        for part, questions in self._parts():
            lines += [f"## {part}", "", "| number | rule | value |", "|---|---|---:|"]
            values = self.answers if solution else {}
            lines += [f"| {q.name} | {q.rule} | {_shown(values.get(q.name))} |" for q in questions]
            lines.append("")
        return "\n".join(lines)

    def to_latex(self, solution: bool = False) -> str:
        """Return the sheet, or its solution, as a LaTeX document."""
        values = self.answers if solution else {}
        lines = [
            r"\documentclass{article}", r"\usepackage{amsmath}", r"\begin{document}",
            rf"\section*{{{self.title}{', solution' * solution}}}", self.latex_task,
        ]  # fmt: skip
        for part, questions in self._parts():
            name = part.replace("Δ", r"$\Delta$")
            lines += [rf"\subsection*{{{name}}}", r"\begin{tabular}{|l|p{4cm}|}", r"\hline"]
            lines += [rf"${q.latex}$ & {_shown(values.get(q.name))} \\ \hline" for q in questions]
            lines.append(r"\end{tabular}")
        return "\n".join([*lines, r"\end{document}", ""])

    def _parts(self) -> Iterator[tuple[str, list[Question]]]:
        for part in dict.fromkeys(q.part for q in self.questions):
            yield part, [q for q in self.questions if q.part == part]


@dataclass(frozen=True)
class Marks:
    """The marks of a sheet. They are true if every number is right.

    Attributes:
        right, wrong, missing: the names of the questions.
        consistent: the names of wrong numbers that follow rightly from an earlier wrong one.
        first_wrong: the first wrong number that does not follow from an earlier one; None if there is none.
        yours, expected: the student's number there, and the right one.
    """

    right: tuple[str, ...]
    wrong: tuple[str, ...]
    consistent: tuple[str, ...]
    missing: tuple[str, ...]
    first_wrong: str | None = None
    yours: float | None = None
    expected: float | None = None

    def __bool__(self) -> bool:
        return not (self.wrong or self.consistent or self.missing)

    def __str__(self) -> str:
        total = len(self.right) + len(self.wrong) + len(self.consistent) + len(self.missing)
        lines = [f"{len(self.right)} of {total} numbers are right."]
        if self.first_wrong:
            lines.append(
                f"The first wrong number: {self.first_wrong} = {_shown(self.yours)}; "
                f"right: {_shown(self.expected)}."
            )
        if self.consistent:
            lines.append(f"Wrong only because of an earlier number: {', '.join(self.consistent)}.")
        if len(self.wrong) > 1:
            lines.append(f"Also wrong: {', '.join(self.wrong[1:])}.")
        if self.missing:
            lines.append(f"Not answered: {', '.join(self.missing)}.")
        return "\n".join(lines)


def worksheet(
    seed: int,
    net: Sequence[int] = (2, 2, 1),
    activation: str = "relu",
    rate: float = 0.5,
    graph: bool = False,
) -> Worksheet:
    """Return an examination sheet with small numbers, another one for each seed.

    Args:
        seed: chooses the numbers; the same seed gives the same sheet everywhere.
        net: the number of inputs, and of the neurons of each layer.
        activation: "relu", "linear", "tanh" or "sigmoid".
        rate: the learning rate η of the step.
        graph: ask for the gradients of a graph of + and * instead.

    Raises:
        TypeError, ValueError: an argument is not as above.

    >>> sheet = worksheet(seed=1, net=[1, 1])
    >>> print(sheet)
    # Worksheet 1: a net 1-1
    <BLANKLINE>
    Activation g(z) = max(0, z), error E = ½ Σ (t - a)², learning rate η = 0.5.
    Given: x_0 = 2, w1_0_0 = 1, b1_0 = -1, t_0 = 2.
    <BLANKLINE>
    ## Forward
    <BLANKLINE>
    | number | rule | value |
    |---|---|---:|
    | in1_0 | b + Σ w a |  |
    | a1_0 | g(in) |  |
    | E | ½ Σ (t - a)² |  |
    <BLANKLINE>
    ## Δ
    <BLANKLINE>
    | number | rule | value |
    |---|---|---:|
    | Δ1_0 | g'(in_k) (t_k - a_k) |  |
    <BLANKLINE>
    ## Gradients
    <BLANKLINE>
    | number | rule | value |
    |---|---|---:|
    | -∂E/∂w1_0_0 | a_j Δ_k |  |
    | -∂E/∂b1_0 | Δ_k |  |
    <BLANKLINE>
    ## One step
    <BLANKLINE>
    | number | rule | value |
    |---|---|---:|
    | new w1_0_0 | w + η a_j Δ_k |  |
    | new b1_0 | b + η Δ_k |  |
    <BLANKLINE>
    >>> sheet.answers["new w1_0_0"]
    2.0
    """
    if isinstance(seed, bool) or not isinstance(seed, int):
        expected("expected a seed, an integer", seed)
    if graph:
        return _graph_sheet(seed)
    if isinstance(net, str) or not hasattr(net, "__iter__"):
        expected("expected a net, such as [2, 2, 1]", net)
    shape = tuple(count("a layer's size", n) for n in net)
    if len(shape) < 2:
        raise ValueError(f"expected a net of inputs and at least one layer, not {brief(net)}")
    if activation not in ACTIVATIONS:
        hint = did_you_mean(activation, ACTIVATIONS) or f"; expected one of {', '.join(ACTIVATIONS)}"
        raise ValueError(f"there is no activation {activation!r} for a worksheet{hint}")
    if not is_number(rate) or not isfinite(rate):
        expected("expected a learning rate, a number", rate)
    return _net_sheet(seed, shape, activation, float(rate))


def check_worksheet(seed: int, answers: Mapping[str, float], **options: object) -> Marks:
    """Mark the answers to a sheet.

    Args:
        seed: the seed of the sheet.
        answers: the student's numbers, by name; "D1_0" and "delta1_0" stand for "Δ1_0", "-dE/dw" for
            "-∂E/∂w".
        options: those that the sheet was made with, as in `worksheet`.

    Returns:
        The `Marks`: which number is the first wrong one, and which later ones follow rightly from it. A
        number is right to a relative 0.001.

    Raises:
        ValueError: there is no number of that name on the sheet, or it is given twice.
        TypeError: an answer is not a number.

    >>> print(check_worksheet(1, {"in1_0": 1, "a1_0": 1, "E": 0.5, "Δ1_0": -1}, net=[1, 1]))
    3 of 8 numbers are right.
    The first wrong number: Δ1_0 = -1; right: 1.
    Not answered: -∂E/∂w1_0_0, -∂E/∂b1_0, new w1_0_0, new b1_0.
    """
    if not isinstance(answers, Mapping):
        expected("expected the answers, a dict of names and numbers", answers)
    sheet = worksheet(seed, **options)  # type: ignore[arg-type]
    right = sheet.answers
    given: dict[str, float] = {}
    for name, answer in answers.items():
        full = _full_name(str(name).strip())
        if full not in right:
            hint = did_you_mean(full, right) or f"; it asks for {', '.join(list(right)[:6])}, …"
            raise ValueError(f"the sheet does not ask for {name!r}{hint}")
        if not is_number(answer):
            raise TypeError(f"the answer {name} is a number, not {type(answer).__name__}: {brief(answer)}")
        if full in given:
            raise ValueError(f"the answer {full} is given twice, the second time as {name!r}")
        given[full] = float(answer)
    follows = sheet.solve(given)
    kinds: dict[str, list[str]] = {"right": [], "wrong": [], "consistent": [], "missing": []}
    for name, value in right.items():
        if name not in given:
            kinds["missing"].append(name)
        elif _close(given[name], value):
            kinds["right"].append(name)
        else:
            kinds["consistent" if _close(given[name], follows[name]) else "wrong"].append(name)
    first = kinds["wrong"][0] if kinds["wrong"] else None
    names = {kind: tuple(listed) for kind, listed in kinds.items()}
    yours, expected_number = (given[first], right[first]) if first else (None, None)
    return Marks(
        names["right"], names["wrong"], names["consistent"], names["missing"],
        first, yours, expected_number,
    )  # fmt: skip


def _full_name(name: str) -> str:
    for short, letter in ("delta", "Δ"), ("D", "Δ"), ("-dE/d", "-∂E/∂"), ("dL/d", "∂L/∂"):
        if name.startswith(short):
            return letter + name[len(short) :]
    return name


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= TOLERANCE * max(1.0, abs(b))


def _shown(x: float | None) -> str:
    return "" if x is None else f"{round(x, 6) + 0.0:.6g}"


def _net_sheet(seed: int, shape: tuple[int, ...], activation: str, rate: float) -> Worksheet:
    weights = sum(m * n for m, n in pairwise(shape))
    if weights > MOST_WEIGHTS:
        raise ValueError(f"a worksheet has a net of at most {MOST_WEIGHTS} weights, not {weights:,}")
    rng = random.Random(seed)
    for _ in range(TRIES):
        given = {f"x_{j}": rng.choice(STEPS) for j in range(shape[0])}
        for l, (m, n) in enumerate(pairwise(shape), 1):
            for k in range(n):
                given |= {f"w{l}_{j}_{k}": rng.choice(STEPS) for j in range(m)}
                given[f"b{l}_{k}"] = rng.choice((-1.0, 0.0, 1.0))
        given |= {f"t_{k}": rng.choice((-1.0, 0.0, 1.0, 2.0)) for k in range(shape[-1])}
        questions = tuple(_net_questions(shape, activation, rate))
        listed = ", ".join(f"{name} = {x:g}" for name, x in given.items())
        latex = ", ".join(f"${_latex(name)} = {x:g}$" for name, x in given.items())
        text, formula = ACTIVATIONS[activation][2:]
        rounding = ". Round each number to four digits" if activation in ("tanh", "sigmoid") else ""
        listed, latex = listed + rounding, latex + rounding
        sheet = Worksheet(
            f"Worksheet {seed}: a net {'-'.join(map(str, shape))}",
            given,
            f"Activation {text}, error E = ½ Σ (t - a)², learning rate η = {rate:g}.\nGiven: {listed}.",
            rf"Activation ${formula}$, error $E = \frac12 \sum (t - a)^2$, learning rate $\eta = {rate:g}$. "
            f"Given: {latex}.",
            questions,
        )
        deltas = [abs(x) for name, x in sheet.answers.items() if name.startswith("Δ")]
        sums = [x for name, x in sheet.answers.items() if name.startswith("in")]
        # if every Δ is 0, a sheet teaches nothing; at in = 0, relu has no derivative
        if max(deltas) > 0 and 0.0 not in sums and max(map(abs, sheet.answers.values())) < LARGEST:
            return sheet
    raise ValueError(
        f"no sheet with numbers below {LARGEST:,} was found for the net {brief(list(shape))} and the "
        f"learning rate {rate:g}: use a smaller net or rate"
    )


def _net_questions(shape: tuple[int, ...], activation: str, rate: float) -> Iterator[Question]:
    g, derivative = ACTIVATIONS[activation][:2]
    last = len(shape) - 1

    def a(l: int, j: int) -> str:
        return f"a{l}_{j}" if l else f"x_{j}"

    def square(x: float) -> float:
        return x * x  # x**2 raises an error if it overflows

    def question(name: str, rule: str, part: str, formula: Formula) -> Question:
        return Question(name, _latex(name), rule, part, formula)

    def total(l: int, k: int) -> Formula:
        return lambda look: (
            look(f"b{l}_{k}") + sum(look(f"w{l}_{j}_{k}") * look(a(l - 1, j)) for j in range(shape[l - 1]))
        )

    def output_delta(k: int) -> Formula:
        return lambda look: derivative(look(f"in{last}_{k}")) * (look(f"t_{k}") - look(a(last, k)))

    def hidden_delta(l: int, j: int) -> Formula:
        return lambda look: (
            derivative(look(f"in{l}_{j}"))
            * sum(look(f"w{l + 1}_{j}_{k}") * look(f"Δ{l + 1}_{k}") for k in range(shape[l + 1]))
        )

    def product(l: int, j: int, k: int) -> Formula:
        return lambda look: look(a(l - 1, j)) * look(f"Δ{l}_{k}")

    def of(name: str) -> Formula:
        return lambda look: look(name)

    def moved(name: str) -> Formula:
        return lambda look: look(name) + rate * look(f"-∂E/∂{name}")

    for l in range(1, last + 1):
        for k in range(shape[l]):
            yield question(f"in{l}_{k}", "b + Σ w a", "Forward", total(l, k))
            name = f"in{l}_{k}"
            yield question(a(l, k), "g(in)", "Forward", lambda look, name=name: g(look(name)))  # type: ignore[misc]
    outputs = range(shape[last])
    yield question(
        "E", "½ Σ (t - a)²", "Forward",
        lambda look: sum(square(look(f"t_{k}") - look(a(last, k))) for k in outputs) / 2,
    )  # fmt: skip
    for k in outputs:
        yield question(f"Δ{last}_{k}", "g'(in_k) (t_k - a_k)", "Δ", output_delta(k))
    for l in range(last - 1, 0, -1):
        for j in range(shape[l]):
            yield question(f"Δ{l}_{j}", "g'(in_j) Σ_k w_jk Δ_k", "Δ", hidden_delta(l, j))
    for l in range(1, last + 1):
        for k in range(shape[l]):
            for j in range(shape[l - 1]):
                yield question(f"-∂E/∂w{l}_{j}_{k}", "a_j Δ_k", "Gradients", product(l, j, k))
            yield question(f"-∂E/∂b{l}_{k}", "Δ_k", "Gradients", of(f"Δ{l}_{k}"))
    for l in range(1, last + 1):
        for k in range(shape[l]):
            for j in range(shape[l - 1]):
                yield question(f"new w{l}_{j}_{k}", "w + η a_j Δ_k", "One step", moved(f"w{l}_{j}_{k}"))
            yield question(f"new b{l}_{k}", "b + η Δ_k", "One step", moved(f"b{l}_{k}"))


def _latex(name: str) -> str:
    """Return a name such as -∂E/∂w1_0_2 in LaTeX."""
    if name.startswith("new "):
        return _latex(name[4:]) + r"^{\text{new}}"
    for top in "E", "L":
        for sign in "-", "":
            if name.startswith(start := f"{sign}∂{top}/∂"):
                return rf"{sign}\partial {top} / \partial {_latex(name[len(start) :])}"
    head = name.rstrip("0123456789_")
    letter = {"Δ": r"\Delta", "in": r"\mathrm{in}"}.get(head, head)
    places = ",".join(part for part in name[len(head) :].split("_") if part)
    return f"{letter}_{{{places}}}" if places else letter


# A graph of + and *


def _graph_sheet(seed: int) -> Worksheet:
    rng = random.Random(seed)
    leaves = {letter: rng.choice((-3.0, -2.0, -1.0, 2.0, 3.0, 4.0)) for letter in "abc"}
    names, lines = list(leaves), list[tuple[str, str, str, str]]()
    unused = list(names)
    for name in "def":
        first = unused.pop(rng.randrange(len(unused)))
        second = rng.choice([other for other in names if other != first] or [first])
        lines.append((name, first, rng.choice("+*"), second))
        names.append(name)
        unused = [other for other in [*unused, name] if other != second]
    rest = [name for name in unused if name != "f"]
    second = rest[0] if rest else rng.choice("abc")
    lines.append(("L", "f", "*" if rng.random() < 0.5 else "+", second))
    for extra in rest[1:]:
        last = lines.pop()
        lines += [("g", last[1], last[2], last[3]), ("L", "g", "+", extra)]
    written = "; ".join(f"{y} = {a} {op} {b}" for y, a, op, b in lines).replace("*", "·")
    listed = ", ".join(f"{name} = {x:g}" for name, x in leaves.items())
    latex = written.replace("·", r"\cdot ").replace("; ", "$; $")
    return Worksheet(
        f"Worksheet {seed}: a graph",
        leaves,
        f"{written}.\nGiven: {listed}. local(a → f) is the local gradient of an edge a → f.",
        f"${latex}$. Given: ${listed.replace(', ', '$, $')}$.",
        tuple(_graph_questions(lines, list(leaves))),
    )


def _graph_questions(lines: list[tuple[str, str, str, str]], leaves: list[str]) -> Iterator[Question]:
    def value(a: str, op: str, b: str) -> Formula:
        return lambda look: look(a) * look(b) if op == "*" else look(a) + look(b)

    def gradient(name: str) -> Formula:
        def formula(look: Look) -> float:
            found = 0.0
            for y, a, op, b in lines:
                for this, other in (a, b), (b, a):
                    if this == name:
                        found += look(f"∂L/∂{y}") * (look(other) if op == "*" else 1.0)
            return found

        return formula

    for y, a, op, b in lines:
        yield Question(y, y, f"{a} {op} {b}".replace("*", "·"), "Forward", value(a, op, b))
    yield Question("∂L/∂L", _latex("∂L/∂L"), "1", "Backward", lambda look: 1.0)
    for name in [*(y for y, *_ in reversed(lines[:-1])), *reversed(leaves)]:
        children = [y for y, a, _, b in lines for this in (a, b) if this == name]
        rule = " + ".join(f"∂L/∂{y} · local({name} → {y})" for y in children)
        yield Question(f"∂L/∂{name}", _latex(f"∂L/∂{name}"), rule, "Backward", gradient(name))
