"""Compare the speed of traced programs with other ways to run a small net, and measure larger nets.

    python benchmarks/traced.py                  every table
    python benchmarks/traced.py step grow        the named tables (step, grow)
    python benchmarks/traced.py --quick          fewer calls and smaller nets: about a minute

The step is that of eager.py: MLP(2, [16, 16, 1]) on 100 samples, hinge loss plus 1e-4 Σ p², its gradients, no
update. Before anything is timed, the gradients of all contenders are compared. The contenders are interleaved
in one process, and times are wall-clock times. JAX and PyTorch are measured if they are installed, C if there
is a compiler; a line names those that are left out. (JAX does not run the traced program itself, as XLA takes
minutes to compile straight-line code of this length.)
"""

from __future__ import annotations

import ctypes
import functools
import gc
import importlib.util
import itertools
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bench import aligned, figure, medians, print_tables, table
from peers import PEER, SAMPLES, SHAPE, binary_step, moons

from engine import Program, Value, total, trace
from nn import MLP, losses

Gradients = Callable[[], Any]
HERE = Path(__file__).parent


def program(model: Any, inputs: int) -> Program:
    """Return the traced loss of one sample."""
    x = [Value(0.5, label=f"x{i}") for i in range(inputs)]
    t = Value(1.0, label="t")
    loss = losses.hinge(model(x), t) + 1e-4 * total([p * p for p in model.parameters()])
    loss.label = "loss"
    return trace(loss, [*x, t], model.parameters())


def w2() -> tuple[Program, Any, list[Any]]:
    """Return the program of the step, its parameters and its columns."""
    model = MLP(SHAPE[0], SHAPE[1:], rng=random.Random(1337))
    xs, ys = moons()
    columns = [np.ascontiguousarray(column) for column in (*np.array(xs).T, ys)]
    return program(model, 2), np.array([p.data for p in model.parameters()]), columns


# The contenders


def by_hand(parameters: Any, columns: list[Any], shape: Sequence[int] = SHAPE) -> Gradients:
    """Return the step of the same net in matrices, as one writes it for NumPy."""
    x, t = np.stack(columns[:2], 1), columns[2]
    matrices, place = [], 0
    for nin, nout in itertools.pairwise(shape):
        block = parameters[place : place + (nin + 1) * nout].reshape(nout, nin + 1)
        matrices.append((np.ascontiguousarray(block[:, :-1]), np.ascontiguousarray(block[:, -1])))
        place += (nin + 1) * nout
    (w1, b1), (w2, b2), (w3, b3) = matrices

    def step() -> Any:
        z1 = x @ w1.T + b1
        a1 = np.maximum(z1, 0)
        z2 = a1 @ w2.T + b2
        a2 = np.maximum(z2, 0)
        s = (a2 @ w3.T + b3)[:, 0]
        margin = 1 - t * s
        mean = np.maximum(margin, 0).mean() + 1e-4 * (parameters @ parameters)
        d3 = np.where(margin > 0, -t, 0.0)[:, None] / len(t)
        d2 = (d3 @ w3) * (z2 > 0)
        d1 = (d2 @ w2) * (z1 > 0)
        gradients = [
            np.concatenate([d.T @ a, d.sum(0)[:, None]], 1).ravel() for d, a in ((d1, x), (d2, a1), (d3, a2))
        ]
        return mean, np.concatenate(gradients) + 2e-4 * parameters

    return step


def in_c(library: ctypes.CDLL, parameters: Any, columns: list[Any]) -> Gradients:
    """Return the step of the same net in loops, as one writes it in C: see net.c."""
    x, t, gradients = np.ascontiguousarray(np.stack(columns[:2], 1)), columns[2], np.empty_like(parameters)
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (parameters, x, t, gradients)]
    library.step.restype = ctypes.c_double
    return lambda: (library.step(*pointers, ctypes.c_int(len(t))), gradients)


def build() -> ctypes.CDLL | None:
    """Compile net.c with full optimization and return the library, or None without a compiler."""
    compiler = next(filter(shutil.which, (os.environ.get("CC", "cc"), "gcc", "clang")), None)
    if compiler is None:
        print("there is no C compiler: measuring without C", flush=True)
        return None
    shared = Path(tempfile.mkdtemp()) / "net.so"
    flags = ["-O3", "-march=native", "-ffp-contract=fast", "-fPIC", "-shared"]
    subprocess.run([compiler, *flags, str(HERE / "net.c"), "-o", str(shared)], check=True)
    return ctypes.CDLL(str(shared))


def peak(library: ctypes.CDLL) -> float:
    """Return the largest number of fused multiply-adds that a core does in a second."""
    rounds = 2_000_000
    library.peak.restype = ctypes.c_double
    times = [timed(lambda: library.peak(ctypes.c_long(rounds))) for _ in range(5)]
    return ctypes.c_int.in_dll(library, "multiply_adds").value * rounds / min(times)


def jax_by_hand(parameters: Any, columns: list[Any]) -> Gradients:
    """Return the step of the same net in matrices for JAX: jax.jit(jax.value_and_grad(loss))."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    x, t = jnp.stack([jnp.array(c) for c in columns[:2]], 1), jnp.array(columns[2])

    def loss(p: Any, x: Any, t: Any) -> Any:  # the samples are arguments, as they differ in each step
        a, place = x, 0
        for nin, nout in itertools.pairwise(SHAPE):
            block = p[place : place + (nin + 1) * nout].reshape(nout, nin + 1)
            place += (nin + 1) * nout
            z = a @ block[:, :-1].T + block[:, -1]
            a = jnp.maximum(z, 0) if nout > 1 else z
        return jnp.maximum(1 - t * a[:, 0], 0).mean() + 1e-4 * (p @ p)

    step, p = jax.jit(jax.value_and_grad(loss)), jnp.array(parameters)
    return lambda: jax.block_until_ready(step(p, x, t))


def torch_by_hand(parameters: Any, columns: list[Any]) -> Gradients:
    """Return the step of the same net in eager PyTorch, with its autograd."""
    import torch

    torch.set_num_threads(1)
    x, t = torch.tensor(np.stack(columns[:2], 1)), torch.tensor(columns[2])
    p = torch.tensor(parameters, requires_grad=True)

    def step() -> Any:
        a, place = x, 0
        for nin, nout in itertools.pairwise(SHAPE):
            block = p[place : place + (nin + 1) * nout].reshape(nout, nin + 1)
            place += (nin + 1) * nout
            z = a @ block[:, :-1].T + block[:, -1]
            a = torch.relu(z) if nout > 1 else z
        mean = torch.relu(1 - t * a[:, 0]).mean() + 1e-4 * (p @ p)
        [gradients] = torch.autograd.grad(mean, p)
        return mean.item(), gradients.numpy()

    return step


def micrograd() -> dict[str, Callable[[], None]]:
    """Return the whole step of micrograd, by its name."""
    from micrograd.engine import Value as Micro

    return {PEER: binary_step(Micro, *moons())[1]}


def installed(package: str) -> bool:
    """Return whether a package is installed, and print a line if it is not."""
    found = importlib.util.find_spec(package) is not None
    if not found:
        print(f"{package} is not installed: measuring without it", flush=True)
    return found


# The tables


def timed(f: Callable[[], object]) -> float:
    start = time.perf_counter()
    f()
    return time.perf_counter() - start


def often(f: Gradients) -> tuple[int, Callable[[], object]]:
    """Return the number of calls that take about 5 ms, and a function that makes them."""
    f()
    count = max(1, int(0.005 / min(timed(f) for _ in range(3))))
    return count, lambda: [f() for _ in range(count)]


def interleaved(contenders: dict[str, Gradients], rounds: int) -> dict[str, tuple[float, float]]:
    """Return the median and the minimum time of one call of each, in seconds, over turns of about 5 ms."""
    counts, turns = {}, {}
    for name, f in contenders.items():
        counts[name], turns[name] = often(f)
    times: dict[str, list[float]] = {name: [] for name in contenders}
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        for name, turn in turns.items():
            times[name].append(timed(turn) / counts[name])
    gc.enable()
    return {name: (statistics.median(all_times), min(all_times)) for name, all_times in times.items()}


def step_table(rounds: int, quick: bool) -> None:
    """Print the time of one step by each contender, relative to micrograd, and the time to compile it."""
    traced, parameters, columns = w2()
    contenders: dict[str, Gradients] = {}
    compiled = {}
    library = build()
    if library:
        contenders["C by hand, -O3 -march=native"] = in_c(library, parameters, columns)
    contenders["NumPy by hand"] = by_hand(parameters, columns)
    libraries = {"jax": jax_by_hand, "torch": torch_by_hand}
    present = [package for package in libraries if installed(package)]
    for package in present:
        contenders[f"{package} by hand"] = libraries[package](parameters, columns)
    backends = [name for name in BACKENDS if name != "llvm" or installed("llvmlite")]
    for name in (*backends, *["torch"] * ("torch" in present)):
        start = time.perf_counter()
        step = traced.compile(name)
        step(parameters, columns)
        compiled[f"chalkgrad, {name}"] = time.perf_counter() - start
        contenders[f"chalkgrad, {name}"] = lambda step=step: step(parameters, columns)
    agree(contenders)
    slow, fast = (medians(micrograd(), 1 if quick else 3, collect=collect)[PEER] for collect in (True, False))
    times = interleaved(contenders, rounds)
    rows = [[PEER, figure(1e6 * fast), "", figure(slow / fast), "1", ""]]
    for name, (t, least) in sorted(times.items(), key=lambda item: -item[1][0]):
        took = f"{compiled[name]:.2f}" if name in compiled else ""
        rows.append([name, figure(1e6 * t), figure(1e6 * least), figure(slow / t), figure(fast / t), took])
    print(table(["one step", "µs, median", "minimum", f"x {PEER}, on", "off", "s to compile"], rows))
    if library and "chalkgrad, llvm" in times:
        best = peak(library)
        share = FUSED * SAMPLES / times["chalkgrad, llvm"][0] / best
        print(f"\nPeak of a core: {best / 1e9:.1f} G multiply-adds/s, of which llvm's step is {share:.0%}.")


#: Multiply-adds of a sample: each weight once forward, once for its gradient, and once more to pass back a Δ.
FUSED = 2 * (2 * 16 + 16 * 16 + 16) + 16 * 16 + 16


def agree(contenders: dict[str, Gradients]) -> None:
    """Exit with an error unless all contenders compute the same gradients."""
    mean, gradients = contenders["chalkgrad, python"]()
    for name, step in contenders.items():
        its_mean, its_gradients = step()
        error = max(abs(its_mean - mean), np.abs(np.asarray(its_gradients) - gradients).max())
        if not error <= 1e-12:
            sys.exit(f"{name} disagrees with chalkgrad, python: by {error:.1e}")


def grow_table(rounds: int, quick: bool) -> None:
    """Print the times to trace, to compile and to run nets of about 100 to 1,000,000 parameters."""
    head = ["net", "s to trace", "s to compile", *(f"µs a sample of {count:,}" for count in COUNTS)]
    for line in aligned(head, grown(WIDTHS[:2] if quick else WIDTHS, rounds), [31, *map(len, head[1:])]):
        print(line, flush=True)


def grown(widths: Sequence[int], rounds: int) -> Iterator[list[str]]:
    """Yield the row of each net and backend as soon as it is measured."""
    backends = [name for name in BACKENDS if name != "llvm" or installed("llvmlite")]
    for width in widths:
        shape = (2, width, width, 1)
        model = MLP(2, shape[1:], rng=random.Random(1))
        start = time.perf_counter()
        traced = program(model, 2)
        traced_in = time.perf_counter() - start
        parameters = np.array([p.data for p in model.parameters()])
        size = len(parameters)
        for name in backends:
            if size > LARGEST[name]:
                continue
            start = time.perf_counter()
            step = traced.compile(name)
            compiled_in = time.perf_counter() - start
            head = [f"{size:,} parameters, {name}", figure(traced_in), figure(compiled_in)]
            ready = functools.partial(functools.partial, step, parameters)
            yield head + a_sample(ready, MOST[name] // size, rounds)
        ready = functools.partial(by_hand, parameters, shape=shape)
        yield [f"{size:,} parameters, NumPy by hand", "", "", *a_sample(ready, 1e6, rounds)]


def a_sample(ready: Callable[[list[Any]], Gradients], most: float, rounds: int) -> list[str]:
    """Return the median time of a sample, in µs, for each batch size in COUNTS; "" beyond ``most`` samples.

    Args:
        ready: a function from columns to a step.
        most: the largest batch that is measured, as larger ones take too long.
        rounds: the number of turns, see `interleaved`.
    """
    cells = []
    for count in COUNTS:
        columns = [np.full(count, 0.5), np.full(count, -0.25), np.ones(count)]
        if count > most:
            cells.append("")
            continue
        [(t, _)] = interleaved({"": ready(columns)}, max(3, rounds // 5)).values()
        cells.append(figure(1e6 * t / count))
    return cells


COUNTS = (1, 100, 10_000)  # samples of a batch
WIDTHS = (8, 30, 98, 314, 998)  # neurons in each of the two hidden layers
BACKENDS = ("python", "numpy", "llvm")
MOST = {"python": 3e6, "numpy": 3e7, "llvm": 2e9}  # samples × parameters; beyond it, a step takes seconds
LARGEST = {"python": 2e4, "numpy": 2e6, "llvm": 2e5}  # parameters


if __name__ == "__main__":
    print_tables(
        "Compare traced programs with their peers.", {"step": step_table, "grow": grow_table}, 101, 31
    )
