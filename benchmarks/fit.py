"""Compare `nn.fit` with other ways to train the same net, and measure how it grows.

    python benchmarks/fit.py                     every table
    python benchmarks/fit.py digits              the named tables (digits, growth, batch)
    python benchmarks/fit.py --quick             fewer epochs and smaller nets: about a minute

The net for the digits is MLP(64, [32, 10]) with tanh, cross entropy, plain gradient descent on batches of 32,
in double precision. All contenders start from the same weights and take the same batches in the same order.
After one epoch their weights are compared, before anything is timed. Then they train in turn, each for a few
rounds. Times are wall-clock times, compilation included, with the evaluation on the held-back fifth left out.
scikit-learn, PyTorch and JAX are measured if they are installed. NumPy uses one core, unless the environment
sets OPENBLAS_NUM_THREADS.
"""

from __future__ import annotations

import importlib.util
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a second thread costs more than such matrices gain

import numpy as np
from bench import figure, print_tables, table

from nn import MLP, SGD, data, fit

RATE, BATCH, GOAL, SEED = 0.2, 32, 0.95, 3
Weights = list[tuple[Any, Any]]  # for each layer W, with a row for each neuron, and b
Report = Callable[[Callable[[], Weights]], bool]  # takes a function that reads the weights; True ends the run


class Problem(NamedTuple):
    """What all contenders train."""

    xs: list[list[float]]
    ys: list[int]
    sizes: list[int]  # of the layers, the inputs first
    batch: int
    rate: float
    epochs: int

    def model(self) -> MLP:
        """Return the net with its first weights."""
        return MLP(self.sizes[0], self.sizes[1:], "tanh", init="xavier", rng=random.Random(SEED))

    def weights(self) -> Weights:
        """Return the first weights as arrays."""
        return weights_of(self.model())

    def arrays(self) -> tuple[Any, Any]:
        """Return the samples, a row each, and their classes."""
        return np.array(self.xs), np.array(self.ys)

    def orders(self) -> Iterator[list[int]]:
        """Yield the order of the samples in each epoch, as `fit` shuffles them."""
        rng, order = random.Random(SEED), list(range(len(self.xs)))
        for _ in range(self.epochs):
            if self.batch < len(order):
                rng.shuffle(order)
            yield order


def weights_of(model: MLP) -> Weights:
    """Return the parameters of a net as arrays."""
    return [
        (
            np.array([[w.data for w in n.w] for n in layer.neurons]),
            np.array([n.b.data for n in layer.neurons]),
        )
        for layer in model.layers
    ]


def chalkgrad(backend: str) -> Callable[[Problem, Report], None]:
    """Return the contender that is `fit` with a backend."""

    def train(problem: Problem, report: Report) -> None:
        model = problem.model()
        size = problem.batch if problem.batch < len(problem.xs) else None
        fit(
            model, problem.xs, problem.ys, "cross_entropy", SGD(model.parameters(), problem.rate),
            problem.epochs, size, random.Random(SEED), backend, progress=False,
            callback=lambda number, epoch: report(lambda: weights_of(model)),
        )  # fmt: skip

    return train


def by_hand(problem: Problem, report: Report) -> None:
    """Train with NumPy, written by hand."""
    xs, ys = problem.arrays()
    weights = problem.weights()
    for order in problem.orders():
        for first in range(0, len(xs), problem.batch):
            rows = order[first : first + problem.batch]
            activations = [xs[rows].T]
            for k, (w, b) in enumerate(weights):
                z = w @ activations[-1] + b[:, None]
                activations.append(np.tanh(z) if k < len(weights) - 1 else z)
            p = np.exp(activations[-1] - activations[-1].max(0))
            p /= p.sum(0)
            p[ys[rows], np.arange(len(rows))] -= 1
            delta = p / len(rows)
            for k in reversed(range(len(weights))):
                (w, b), a = weights[k], activations[k]
                before = (w.T @ delta) * (1 - a * a) if k else delta
                w -= problem.rate * (delta @ a.T)
                b -= problem.rate * delta.sum(1)
                delta = before
        if report(lambda: weights):
            return


def scikit_learn(problem: Problem, report: Report) -> None:
    """Train scikit-learn's MLPClassifier by `partial_fit`, an epoch at a time."""
    from sklearn.neural_network import MLPClassifier

    xs, ys = problem.arrays()
    model = MLPClassifier(
        tuple(problem.sizes[1:-1]), activation="tanh", solver="sgd", learning_rate_init=problem.rate,
        momentum=0.0, nesterovs_momentum=False, alpha=0.0, batch_size=problem.batch, shuffle=False,
    )  # fmt: skip
    first = slice(problem.batch)
    model.partial_fit(xs[first], ys[first], classes=range(problem.sizes[-1]))  # it makes the arrays
    for k, (w, b) in enumerate(problem.weights()):
        model.coefs_[k][...], model.intercepts_[k][...] = w.T, b
    for order in problem.orders():
        model.partial_fit(xs[order], ys[order])
        if report(lambda: [(w.T, b) for w, b in zip(model.coefs_, model.intercepts_)]):
            return


def pytorch(problem: Problem, report: Report) -> None:
    """Train with PyTorch: modules, autograd and its SGD."""
    import torch

    xs, ys = map(torch.tensor, problem.arrays())
    layers: list[Any] = []
    for w, b in problem.weights():
        layers += [torch.nn.Linear(*w.T.shape, dtype=torch.float64), torch.nn.Tanh()]
        layers[-2].weight.data, layers[-2].bias.data = torch.tensor(w), torch.tensor(b)
    model = torch.nn.Sequential(*layers[:-1])
    optimizer, loss = torch.optim.SGD(model.parameters(), problem.rate), torch.nn.CrossEntropyLoss()
    for order in problem.orders():
        for first in range(0, len(xs), problem.batch):
            rows = order[first : first + problem.batch]
            optimizer.zero_grad()
            loss(model(xs[rows]), ys[rows]).backward()
            optimizer.step()
        if report(lambda: [(m.weight.detach().numpy(), m.bias.detach().numpy()) for m in layers[::2]]):
            return


def jax(scan: bool) -> Callable[[Problem, Report], None]:
    """Return the contender that is `jax.jit` of a step, or of an epoch as a scan over its full batches."""

    def train(problem: Problem, report: Report) -> None:
        import jax
        import jax.numpy as jnp

        def loss(weights: Any, xs: Any, ys: Any) -> Any:
            a = xs.T
            for w, b in weights[:-1]:
                a = jnp.tanh(w @ a + b[:, None])
            w, b = weights[-1]
            log_p = jax.nn.log_softmax(w @ a + b[:, None], axis=0)
            return -log_p[ys, jnp.arange(len(ys))].mean()

        @jax.jit
        def step(weights: Any, xs: Any, ys: Any) -> Any:
            gradients = jax.grad(loss)(weights, xs, ys)
            return jax.tree.map(lambda w, g: w - problem.rate * g, weights, gradients)

        @jax.jit
        def epoch(weights: Any, xs: Any, ys: Any) -> Any:
            return jax.lax.scan(lambda w, batch: (step(w, *batch), None), weights, (xs, ys))[0]

        with jax.enable_x64(True):
            xs, ys = problem.arrays()
            weights, size = problem.weights(), problem.batch
            whole = len(xs) // size * size if scan else 0
            for order in problem.orders():
                if whole:
                    x, y = xs[order[:whole]], ys[order[:whole]]
                    weights = epoch(weights, x.reshape(-1, size, x.shape[1]), y.reshape(-1, size))
                for first in range(whole, len(xs), size):
                    rows = order[first : first + size]
                    weights = step(weights, xs[rows], ys[rows])
                final = jax.block_until_ready(weights)  # which JAX computes in the background
                if report(lambda final=final: [(np.asarray(w), np.asarray(b)) for w, b in final]):
                    return

    return train


def contenders() -> dict[str, Callable[[Problem, Report], None]]:
    """Return all that are installed; a line names the others."""
    found: dict[str, Callable[[Problem, Report], None]] = {"NumPy by hand": by_hand}
    for package, peers in {
        "sklearn": {"scikit-learn": scikit_learn},
        "torch": {"PyTorch": pytorch},
        "jax": {"JAX, jit": jax(scan=False), "JAX, scan": jax(scan=True)},
        "llvmlite": {'fit, "llvm"': chalkgrad("llvm")},
    }.items():
        if importlib.util.find_spec(package):
            found |= peers
        else:
            print(f"without {package}, which is not installed", file=sys.stderr)
    return found | {'fit, "numpy"': chalkgrad("numpy"), 'fit, "auto"': chalkgrad("auto")}


def outputs(weights: Weights, xs: Any) -> Any:
    """Return the outputs of a net, a column for each sample."""
    a = xs.T
    for w, b in weights[:-1]:
        a = np.tanh(w @ a + b[:, None])
    return weights[-1][0] @ a + weights[-1][1][:, None]


class Stopwatch:
    """Times the epochs of a run; the clock stands still while the weights are read and judged.

    Args:
        reached: takes the weights after an epoch; True ends the run.

    Attributes:
        epochs: the seconds of each epoch; the first has the compilation.
        last: the weights after the last.
    """

    def __init__(self, reached: Callable[[Weights], bool]) -> None:
        self.reached, self.epochs = reached, list[float]()
        self.last: Weights = []
        self.start = time.perf_counter()

    def __call__(self, weights: Callable[[], Weights]) -> bool:
        self.epochs.append(time.perf_counter() - self.start)
        self.last = [(w.copy(), b.copy()) for w, b in weights()]
        done = self.reached(self.last)
        self.start = time.perf_counter()
        return done


def check(problem: Problem, peers: dict[str, Callable[[Problem, Report], None]]) -> None:
    """Exit unless one epoch takes all contenders to the same weights: then their gradients are the same."""
    expected: Weights = []
    for name, train in peers.items():
        watch = Stopwatch(lambda weights: True)
        train(problem, watch)
        expected = expected or watch.last
        for k, (found, wanted) in enumerate(zip(watch.last, expected)):
            if not all(np.allclose(a, b, rtol=1e-6, atol=1e-9) for a, b in zip(found, wanted)):
                sys.exit(
                    f"{name} has other weights in layer {k + 1} after one epoch than {next(iter(peers))}"
                )


def digits(rounds: int, quick: bool) -> None:
    """Print the time per step and to 95 % on the digits."""
    (xs, ys), (test_xs, test_ys) = data.split(*data.digits(), rng=random.Random(0))
    problem = Problem(xs, ys, [64, 32, 10], BATCH, RATE, 10 if quick else 20)
    peers, held_back = contenders(), (np.array(test_xs), np.array(test_ys))
    check(problem, peers)
    steps = -(-len(xs) // BATCH)
    per_step: dict[str, list[float]] = {name: [] for name in peers}
    to_goal: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(rounds):
        for name, train in peers.items():
            accuracies: list[float] = []

            def reached(weights: Weights, accuracies: list[float] = accuracies) -> bool:
                accuracies.append(float(np.mean(outputs(weights, held_back[0]).argmax(0) == held_back[1])))
                return False

            watch = Stopwatch(reached)
            train(problem, watch)
            per_step[name] += [seconds / steps for seconds in watch.epochs[1:]]
            first = next((k for k, it in enumerate(accuracies) if it >= GOAL), None)
            to_goal[name].append(sum(watch.epochs[: first + 1]) if first is not None else float("inf"))
    print(f"Digits, {len(xs)} samples in batches of {BATCH}\n")
    print(table(
        ["Trained by", "Median (µs a step)", "Minimum (µs a step)", f"To {GOAL:.0%} (s)"],
        [(name, figure(1e6 * statistics.median(times)), figure(1e6 * min(times)),
          f"{statistics.median(to_goal[name]):.2f}") for name, times in per_step.items()],
    ))  # fmt: skip


def growth_row(name: str, sizes: list[int], samples: int, rounds: int) -> tuple[str, ...]:
    """Return the row of a net that is trained on batches of some samples; the two contenders take turns."""
    rng, steps = random.Random(SEED), max(2, min(20, 20_000 // samples))
    xs = [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(steps * samples)]
    problem = Problem(xs, [int(x * y > 0) for x, y in xs], sizes, samples, 0.01, 6)
    hand, ours, starts = list[float](), list[float](), list[float]()
    for _ in range(rounds):
        for train, found in (by_hand, hand), (chalkgrad("auto"), ours):
            watch = Stopwatch(lambda weights: False)
            train(problem, watch)
            found += [seconds / steps for seconds in watch.epochs[1:]]
        starts.append(watch.epochs[0])
    a_step, by_hand_step = statistics.median(ours), statistics.median(hand)
    return (
        name, figure(1e6 * a_step), figure(1e6 * by_hand_step), figure(by_hand_step / a_step),
        f"{statistics.median(starts):.2f}",
    )  # fmt: skip


HEAD = ['fit, "auto" (µs a step)', "NumPy by hand (µs a step)", "Ratio", "First epoch (s)"]


def growth(rounds: int, quick: bool) -> None:
    """Print how the time grows with the number of parameters."""
    sizes = {100: 8, 1_000: 29, 10_000: 98, 100_000: 314, 1_000_000: 998}
    rows = [
        growth_row(f"{count:,}", [2, n, n, 2], 100, rounds)
        for count, n in sizes.items() if count <= (10_000 if quick else 1_000_000)
    ]  # fmt: skip
    print(table(["Parameters, 100 samples", *HEAD], rows))


def batch(rounds: int, quick: bool) -> None:
    """Print how the time grows with the number of samples in a batch."""
    counts = [n for n in (2, 10, 100, 1_000, 10_000) if n <= (1_000 if quick else 10_000)]
    rows = [growth_row(f"{n:,}", [2, 16, 16, 2], n, rounds) for n in counts]
    print(table(["Samples of a batch, 354 parameters", *HEAD], rows))


if __name__ == "__main__":
    tables = {"digits": digits, "growth": growth, "batch": batch}
    print_tables("Compare nn.fit with other ways to train.", tables, rounds=3, quick=1)
