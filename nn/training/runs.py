"""A training run: its batches one after another, on Values, or in arrays around a compiled program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from itertools import repeat
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from engine import Value
from nn.model.modules import Module
from nn.training import losses
from nn.training.convergence import Convergence
from nn.training.dataset import Sample
from nn.training.interrupts import uninterrupted
from nn.training.losses import Loss
from nn.training.optim import Moved, Optimizer, OptimizerLike, write
from nn.training.train_step import CompiledStep, Step, evaluate
from nn.validation import Floats

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ArrayRun", "Run", "ValueRun", "begin"]


class Run(Protocol):
    """The computations of a training run."""

    def arrange(self, samples: Sequence[Sample]) -> None:
        """Take the samples of the next epoch, in their order."""

    def step(self, first: int, last: int) -> tuple[float, int]:
        """Make a step on a batch of the epoch; return its mean loss and the number of correct predictions."""

    def evaluate(self, samples: Sequence[Sample]) -> tuple[float, int]:
        """Return the mean loss of other samples, and the number of correct predictions."""

    def write(self) -> None:
        """Write the parameters and the gradients of the last step into the Values."""

    def finish(self) -> None:
        """Write everything into the Values and the optimizer, also when the run ends early."""

    def read(self) -> None:
        """Take the parameters and the state of the optimizer as they are now; a callback may change them."""


def begin(
    model: Module,
    loss: Loss,
    samples: Sequence[Sample],
    step: Step,
    optimizer: OptimizerLike,
    convergence: Convergence,
) -> Run:
    """Return the run in arrays where the step is compiled and the optimizer has rules for arrays.

    Any other optimizer, such as one with a ``step`` of your own, works on Values. So does every optimizer
    where NumPy is not installed.
    """
    if (
        isinstance(step, CompiledStep)
        and isinstance(optimizer, Optimizer)
        and optimizer.has_array_rule
        and {*step.parameters}.issuperset(optimizer.parameters)
        and find_spec("numpy")
    ):
        return ArrayRun(model, loss, samples, step, optimizer, convergence)
    return ValueRun(model, loss, samples, step, optimizer, convergence)


class ValueRun:
    """Computes each batch by a step function that leaves the gradients in the Values, for any optimizer."""

    def __init__(
        self,
        model: Module,
        loss: Loss,
        samples: Sequence[Sample],
        step: Step,
        optimizer: OptimizerLike,
        convergence: Convergence,
    ) -> None:
        self.model, self.loss, self.samples, self.compute = model, loss, samples, step
        self.optimizer, self.convergence = optimizer, convergence

    def arrange(self, samples: Sequence[Sample]) -> None:
        self.samples = samples

    def step(self, first: int, last: int) -> tuple[float, int]:
        batch = self.samples[first:last]
        self.optimizer.zero_grad()
        mean, n_correct = self.compute(batch)
        if self.convergence.needs_gradient:
            parameters = self.optimizer.parameters
            gradients, data = [p.grad for p in parameters], [p.data for p in parameters]
            self.convergence.add_gradient(len(batch) / len(self.samples), gradients, data)
        with uninterrupted():
            self.optimizer.step()
        return mean, n_correct

    def evaluate(self, samples: Sequence[Sample]) -> tuple[float, int]:
        if isinstance(self.compute, CompiledStep):
            data = [p.data for p in self.compute.parameters]
            found = self.compute.outputs(data, self.compute.columns(samples))
            if found is not None:
                return found.mean, self.compute.n_correct(found.answers, samples)
        return evaluate(self.model, self.loss, samples)

    def write(self) -> None:
        pass

    def finish(self) -> None:
        pass

    def read(self) -> None:
        pass


class Table(NamedTuple):
    """Samples in arrays."""

    samples: Sequence[Sample]
    columns: np.ndarray  #: a row for each input and each number of the target, a column for each sample
    classes: np.ndarray | None  #: what `losses.decide` returns for each target; None without classes

    def taken(self, samples: Sequence[Sample]) -> Table:
        """Return the same samples in another order."""
        order = [sample.number for sample in samples]
        columns: np.ndarray = self.columns.take(order, 1)
        return Table(samples, columns, None if self.classes is None else self.classes.take(order, -1))

    def part(self, first: int, last: int) -> Table:
        """Return a batch; of all samples, the table itself."""
        if last - first >= len(self.samples):
            return self
        columns = self.columns[:, first:last]
        classes = None if self.classes is None else self.classes[..., first:last]
        return Table(self.samples[first:last], columns, classes)


class State(NamedTuple):
    """The numbers of a run after a step. One assignment replaces them all, so no step is ever half made."""

    data: np.ndarray  #: of the parameters of the model
    gradients: np.ndarray | None  #: of the mean loss of the last batch; None if the Values have it
    moved: Moved[np.ndarray, object]  #: the last step of the optimizer


class ArrayRun:
    """Keeps samples, parameters, gradients and the state of the optimizer in arrays.

    Args:
        model, loss: what is trained.
        samples: all samples, in the order of the data.
        step: the compiled step.
        optimizer: one with rules for arrays.
        convergence: what may stop the run.
    """

    state: State

    def __init__(
        self,
        model: Module,
        loss: Loss,
        samples: Sequence[Sample],
        step: CompiledStep,
        optimizer: Optimizer[object],
        convergence: Convergence,
    ) -> None:
        import numpy as np

        self.model, self.loss, self.compiled = model, loss, step
        self.optimizer, self.convergence = optimizer, convergence
        self.all = self.epoch = self._table(samples)
        self.held_back: Table | None = None
        place = {p: i for i, p in enumerate(step.parameters)}
        whole = [*place] == optimizer.parameters
        places = slice(None) if whole else np.array([place[p] for p in optimizer.parameters])
        self.places: slice | np.ndarray = places
        self.number = attrgetter("_data" if all(type(p) is Value for p in step.parameters) else "data")
        self.read()

    def _table(self, samples: Sequence[Sample]) -> Table:
        import numpy as np

        decided = [losses.decide(self.loss, t) for _, t, _ in samples]
        classes = None if decided[0] is None else np.array(decided).T
        return Table(samples, np.array(self.compiled.columns(samples)), classes)

    def arrange(self, samples: Sequence[Sample]) -> None:
        self.epoch = self.all.taken(samples)

    def step(self, first: int, last: int) -> tuple[float, int]:
        import numpy as np

        batch, (data, _, moved) = self.epoch.part(first, last), self.state
        mean, gradients, n_correct = self._compute(batch, data)
        own = gradients[self.places]
        if self.convergence.needs_gradient:
            weight = len(batch.samples) / len(self.epoch.samples)
            self.convergence.add_gradient(weight, own.tolist(), moved.data.tolist())
        with np.errstate(all="ignore"):  # the optimizer refuses a number that is not finite
            moved = self.optimizer.moved_arrays(moved.data, own, moved.memory)
        if isinstance(self.places, slice):
            data = moved.data
        else:
            data = data.copy()
            data[self.places] = moved.data
        self.state = State(data, gradients, moved)
        self.optimizer.steps = moved.steps  # schedules count it
        return mean, n_correct

    def _compute(self, batch: Table, data: np.ndarray) -> tuple[float, np.ndarray, int]:
        """Return the mean loss, its gradients and the number of correct predictions."""
        import numpy as np

        found = self.compiled.compute(data, batch.columns, batch.samples)
        if found is None:
            self.write()
            mean, n_correct = self.compiled.by_values(batch.samples)
            return mean, np.array([p.grad for p in self.compiled.parameters]), n_correct
        return found.mean, np.asarray(found.gradients), self._n_correct(found.answers, batch)

    def _n_correct(self, answers: Sequence[Floats], batch: Table) -> int:
        import numpy as np

        if batch.classes is None:
            return 0
        correct = losses.decide_many(self.loss, np.asarray(answers)) == batch.classes
        return int(np.count_nonzero(correct.all(0) if correct.ndim == 2 else correct))

    def evaluate(self, samples: Sequence[Sample]) -> tuple[float, int]:
        if self.held_back is None or self.held_back.samples is not samples:
            self.held_back = self._table(samples)
        found = self.compiled.outputs(self.state.data, self.held_back.columns)
        if found is None:
            self.write()
            return evaluate(self.model, self.loss, samples)
        return found.mean, self._n_correct(found.answers, self.held_back)

    def write(self) -> None:
        self.optimizer.write(self.state.moved)

    def finish(self) -> None:
        data, gradients, moved = self.state
        if gradients is None:
            return  # nothing has changed since the Values were read
        with uninterrupted():
            numbers = data.tolist()
            write(self.compiled.parameters, numbers, gradients.tolist())
            memory = States(moved.memory, len(self.optimizer.parameters))
            self.optimizer.keep(Moved(numbers, memory, moved.rate, moved.steps))
            self.state = State(data, None, moved)

    def read(self) -> None:
        import numpy as np

        parameters = self.compiled.parameters
        data = np.fromiter(map(self.number, parameters), np.float64, len(parameters))
        optimizer, memory = self.optimizer, self.optimizer._memory
        stacked = memory.stacked if isinstance(memory, States) else _stacked([*memory])
        moved = Moved(data[self.places], stacked, optimizer.last_lr, optimizer.steps)
        self.state = State(data, None, moved)


def _stacked(memory: Sequence[object]) -> object:
    """Return the states of all parameters as one: numbers become an array, tuples a tuple of arrays.

    >>> _stacked([(1.0, 2.0), (3.0, 4.0)])
    (array([1., 3.]), array([2., 4.]))
    """
    import numpy as np

    if memory[0] is None:
        return None
    if isinstance(memory[0], tuple):
        return tuple(np.array(column) for column in zip(*cast("Sequence[tuple[float, ...]]", memory)))
    return np.array(memory)


class States(Iterable[object]):
    """The state of each parameter, kept as one array of all, or as a tuple of arrays.

    >>> list(States(_stacked([(1.0, 2.0), (3.0, 4.0)]), 2))
    [(1.0, 2.0), (3.0, 4.0)]
    """

    def __init__(self, stacked: object, count: int) -> None:
        self.stacked, self.count = stacked, count

    def __iter__(self) -> Iterator[object]:
        if self.stacked is None:
            return repeat(None, self.count)
        if isinstance(self.stacked, tuple):
            return zip(*[array.tolist() for array in self.stacked])
        return iter(cast("np.ndarray", self.stacked).tolist())

    def __repr__(self) -> str:
        return repr([*self])

    def __reduce__(self) -> tuple[type, tuple[list[object]]]:
        return list, ([*self],)  # a copy needs no NumPy
