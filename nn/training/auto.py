"""The backend that ``backend="auto"`` stands for: the one that is estimated to finish a run first."""

from __future__ import annotations

from importlib.util import find_spec
from typing import NamedTuple

__all__ = ["Work", "choose_backend", "recommendation", "report"]

LONG = 10.0  # seconds by eager training, from which a recommendation is worth a line


class Cost(NamedTuple):
    """The time that a backend takes, in seconds: rounded measurements of one machine, for nets of layers."""

    compile: float  #: for each edge of the graph of one sample
    step: float  #: for each step, whatever its size
    edge: float  #: for each edge and each sample


#: Machine code is fastest but slow to compile; matrices need no compilation, but some time for each step.
COSTS = {
    "llvm": Cost(2.5e-4, 2e-5, 2e-10),
    "numpy": Cost(5e-6, 2e-4, 1.5e-10),
    "python": Cost(3e-5, 1e-5, 7e-8),
    "eager": Cost(0.0, 0.0, 4e-7),
}
PACKAGES = {"llvm": "llvmlite", "numpy": "numpy"}  # that the backends need; llvm needs both


class Work(NamedTuple):
    """The size of a run."""

    edges: int  #: of the graph of one sample, from each operation to its parents
    samples: int  #: of an epoch
    steps: int  #: of an epoch
    epochs: int

    def seconds(self, backend: str) -> float:
        """Return an estimate of the time that a backend takes.

        >>> Work(edges=700, samples=100, steps=1, epochs=100).seconds("eager")
        2.8
        """
        cost = COSTS[backend]
        an_epoch = self.steps * cost.step + self.samples * self.edges * cost.edge
        return round(self.edges * cost.compile + self.epochs * an_epoch, 9)


def choose_backend(work: Work) -> str:
    """Return the backend with the least estimate: "llvm", "numpy" or "python", of those that are installed.

    >>> choose_backend(Work(edges=700, samples=100, steps=1, epochs=1_000_000)) in ("llvm", "python")
    True
    """
    ready = ["python"]
    if find_spec("numpy"):
        ready += [name for name in ("numpy", "llvm") if find_spec(PACKAGES[name])]
    return min(ready, key=work.seconds)


def report(backend: str, work: Work) -> str:
    """Return the line about a backend that was chosen.

    >>> print(report("llvm", Work(edges=700, samples=100, steps=1, epochs=1000)))
    backend="llvm" by estimate: 0.2 s, eager 28 s; the last digits may differ between machines
    """
    times = f"{_time(work.seconds(backend))}, eager {_time(work.seconds('eager'))}"
    return f'backend="{backend}" by estimate: {times}; the last digits may differ between machines'


def recommendation(work: Work) -> str:
    """Return the line about the backend that "auto" would take in place of "eager"; "" for a short run.

    >>> recommendation(Work(edges=700, samples=100, steps=1, epochs=10))
    ''
    """
    if work.seconds("eager") <= LONG:
        return ""
    backend = choose_backend(work)
    times = f'{_time(work.seconds("eager"))}; backend="auto" ({backend}) {_time(work.seconds(backend))}'
    return f'backend="eager" by estimate: {times}'


def _time(seconds: float) -> str:
    if seconds >= 120:
        return f"{seconds / 60:,.0f} min"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
