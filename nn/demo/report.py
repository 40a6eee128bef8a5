"""The text of a run, in 80 columns: the table of epochs, and the prediction that is least certain."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from textwrap import shorten, wrap

from engine import sigmoid, softmax
from nn.training import losses
from nn.training.history import Epoch
from nn.training.progress import show
from nn.training.targets import Classes

__all__ = ["WIDTH", "EpochTable", "Printer", "least_certain", "probabilities", "wrapped"]

WIDTH = 80
LINES = 10  # rows of the table
LIKELIEST = 3  # classes that are named

Outputs = float | list[float]


class Printer:
    """Prints lines until one cannot be written; the run then goes on without output."""

    def __init__(self) -> None:
        self.works = True

    def __call__(self, text: str) -> None:
        self.works = self.works and show(text)


class EpochTable:
    """The losses and accuracies of a run as a table, printed while it grows: at most ten epochs of a run.

    >>> table = EpochTable(Printer(), epochs=2)
    >>> table.add(1, Epoch(0.5, 0.75, 0.4, 0.8))
                training           validation
    epoch       loss accuracy       loss accuracy
        1        0.5    75.0%        0.4    80.0%
    >>> table.add(2, Epoch(0.25, None, 0.1234567, None))
        2       0.25        –     0.1235        –
    """

    def __init__(self, printer: Printer, epochs: int) -> None:
        self.printer, self.epochs, self.every = printer, epochs, -(-epochs // LINES)
        self.begun = False

    def add(self, number: int, epoch: Epoch) -> None:
        """Print the epoch of that number, counted from 1, if it is one of those shown."""
        if number % self.every and number != self.epochs and number != 1:
            return
        if not self.begun:
            self.begun = True
            self.printer(f"{'training':>20}{'validation':>21}")
            self.printer("epoch" + f"{'loss':>11}{'accuracy':>9}" * 2)
        self.printer(
            f"{number:>5}{_loss(epoch.loss)}{_part(epoch.accuracy)}"
            f"{_loss(epoch.validation_loss)}{_part(epoch.validation_accuracy)}"
        )


def _loss(loss: float | None) -> str:
    return f"{'–':>11}" if loss is None else f"{loss:>11.4g}"


def _part(part: float | None) -> str:
    return f"{'–':>9}" if part is None else f"{part:>9.1%}"


def wrapped(text: str, indent: str = "  ") -> str:
    """Return a text in lines of at most 80 columns; words that are longer, such as paths, stay whole.

    >>> print(wrapped("word " * 17))
    word word word word word word word word word word word word word word word word
      word
    """
    return "\n".join(
        wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    )


def probabilities(classes: Classes, outputs: Outputs) -> list[float] | None:
    """Return the probability of each class, as the loss reads the outputs; None if it gives them no meaning.

    With cross_entropy, they are softmax of the outputs. With binary_cross_entropy, each is the sigmoid of its
    output: of one output, that of the second class; of several, that of its class against all others.

    >>> probabilities(Classes("binary_cross_entropy", 2), 0.0)
    [0.5, 0.5]
    >>> probabilities(Classes("hinge", 2), 0.0)
    """
    if classes.loss is losses.cross_entropy and isinstance(outputs, list):
        return [float(p) for p in softmax(outputs)]
    if classes.loss is not losses.binary_cross_entropy:
        return None
    if isinstance(outputs, list):
        return [float(sigmoid(z)) for z in outputs]
    return [float(sigmoid(-outputs)), float(sigmoid(outputs))]


def least_certain(
    classes: Classes, predictions: Sequence[Outputs], ys: Sequence[int], names: Sequence[str]
) -> tuple[int, str]:
    """Return the number of the least certain prediction, and a text about it in two lines.

    It is the one whose class has the smallest probability; where the outputs are no probabilities, the one
    whose greatest outputs differ least.

    >>> number, text = least_certain(
    ...     Classes("cross_entropy", 3), [[5.0, 0.0, 0.0], [1.0, 0.5, 0.0]], [0, 1], ["cat", "dog", "hen"]
    ... )
    >>> number
    1
    >>> print(text)
    least certain: validation sample 1, whose target is dog
      cat with probability 50.6%, dog with 30.7%, hen with 18.6%
    """

    def certainty(outputs: Outputs) -> float:
        p = probabilities(classes, outputs)
        return classes.margin(outputs) if p is None else max(p)

    i = min(range(len(predictions)), key=lambda i: certainty(predictions[i]))
    outputs = predictions[i]
    p = probabilities(classes, outputs)
    scores = classes.scores(outputs) if p is None else p
    order = sorted(range(classes.count), key=lambda k: (-scores[k] if scores[k] == scores[k] else inf, k))
    texts = [f"{scores[k]:.4g}" if p is None else f"{scores[k]:.1%}" for k in order[:LIKELIEST]]
    named = [shorten(names[k], 24, placeholder="...") or names[k][:24] for k in order[:LIKELIEST]]
    what = "output" if p is None else "probability"
    first, *others = zip(named, texts)
    line = f"{first[0]} with {what} {first[1]}" + "".join(f", {name} with {text}" for name, text in others)
    target = shorten(names[ys[i]], 24, placeholder="...")
    return i, f"least certain: validation sample {i}, whose target is {target}\n  {line}"
