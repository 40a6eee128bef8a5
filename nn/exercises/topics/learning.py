"""The last exercise: the student's own Δ rules train a net, sample by sample."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from nn import textbook
from nn.exercises.checker import Case, Named, Slip, Steps, Topic, Unlike, as_lists
from nn.exercises.topics.rules import Layer, Matrix, Net, parts_of_layers

RATE, EPOCHS = 0.3, 20
ENOUGH = 7  # of 8 samples on the right side of 0
HALF_CIRCLE = ((-1.0, 0.0), (-0.6, 0.8), (0.2, 1.0), (0.9, 0.4))
#: Two half circles that lie in each other, with the target of each point.
MOONS = (*((x, 1.0) for x in HALF_CIRCLE), *(((1.0 - x, 0.5 - y), -1.0) for x, y in HALF_CIRCLE))


def _exact(samples: int, epochs: int) -> Case:
    net = Net((2, 2, 1))

    def run(solution: object) -> Steps:
        def trained() -> Named:
            assert callable(solution)
            xs, ts = _data(samples)
            return Named(parts_of_layers(as_lists(solution(net.layers(), xs, ts, RATE, epochs)), net))

        yield "train(...)", trained

    counted = f"{samples} sample{'s' * (samples > 1)}, {epochs} epoch{'s' * (epochs > 1)}"
    return Case(f"a net 2-2-1 of tanh, {counted}, learning rate {RATE}", run)


def _learned() -> Case:
    net = Net((2, 3, 1))

    def run(solution: object) -> Steps:
        def count() -> Unlike:
            assert callable(solution)
            xs, ts = _data(len(MOONS))
            layers = solution(net.layers(), xs, ts, RATE, EPOCHS)
            hits = sum(textbook.forward(layers, x)[1][-1][0] * t[0] > 0 for x, t in zip(xs, ts))
            return Unlike(f"at least {ENOUGH}" if hits >= ENOUGH else str(hits))

        yield f"how many of the {len(MOONS)} samples are on the right side", count

    return Case(f"a net 2-3-1 of tanh, two moons of 4 samples, {EPOCHS} epochs, learning rate {RATE}", run)


def _data(samples: int) -> tuple[Matrix, Matrix]:
    chosen = MOONS[:: len(MOONS) // samples]
    return [list(x) for x, _ in chosen], [[t] for _, t in chosen]


def _train(
    sign: float = 1.0, kept: bool = True, all_epochs: bool = True, last: int | None = None
) -> Callable[..., list[Layer]]:
    """Return a training function, of which a slip changes one part."""

    def train(layers: list[Layer], xs: Matrix, ts: Matrix, rate: float, epochs: int) -> list[Layer]:
        first = layers
        for _ in range(epochs if all_epochs else 1):
            for x, t in list(zip(xs, ts))[:last]:
                steps = textbook.gradients(layers if kept else first, x, t)
                layers = textbook.update(layers if kept else first, steps, sign * rate)  # type: ignore[assignment]
        return layers

    return train


def _batch(layers: list[Layer], xs: Matrix, ts: Matrix, rate: float, epochs: int) -> list[Layer]:
    """Compute all steps of an epoch with the same weights."""
    for _ in range(epochs):
        start = layers
        for x, t in zip(xs, ts):
            layers = textbook.update(layers, textbook.gradients(start, x, t), rate)  # type: ignore[assignment]
    return layers


@cache
def topic() -> Topic:
    """Return the topic."""
    slips = (
        Slip("the layers never change", "update returns new layers: layers = update(...).",
             lambda layers, xs, ts, rate, epochs: layers),
        Slip("each step starts from the first weights", "Pass the layers of the step before to gradients and "
             "update.", _train(kept=False)),
        Slip("a step uphill", "a_j Δ_k is -∂E/∂w, so the step is added.", _train(sign=-1.0)),
        Slip("one epoch only", "Repeat the loop over the samples for each epoch.", _train(all_epochs=False)),
        Slip("the first sample only", "Make a step for every sample.", _train(last=1)),
        Slip("all steps of an epoch start from the same weights", "Compute the gradients of a sample with "
             "the weights that the sample before has left.", _batch),
        Slip("nothing is returned", "The function has to return the layers.", lambda *_: None),
    )  # fmt: skip
    return Topic(
        "train", (_exact(1, 1), _exact(1, 2), _exact(2, 1), _exact(4, 3), _learned()), _train(), slips
    )
