"""Time an irregular graph on the llvm backend beside loops in C (gcc -O3).

    python benchmarks/irregular.py            the table
    python benchmarks/irregular.py --quick    with fewer passes

The graph is that of A. Rogozhnikov, Fastest Autograd in the West (2023): operations in turn on earlier nodes,
few kinds, no layers, and a new graph whenever the user changes it. So the time before the first pass counts,
too. The loops in C need none: they run over a list of operations, one of which is a whole softmax.
"""

from __future__ import annotations

import argparse
import ctypes
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from engine import Value, softmax, softplus, total, trace

OPERATIONS, LEAVES, PASSES, BATCH = 10_000, 100, 10_000, 64
ROOT = 0.12589713828547422  # of the whole graph
START = [i / LEAVES for i in range(LEAVES)]
Step = Callable[[Sequence[float]], tuple[float, Sequence[float]]]


def build(leaves: Sequence[Value], operations: int = OPERATIONS) -> Value:
    """Return the last node of the graph."""
    nodes = list(leaves)
    for i in range(operations):
        match i % 4:
            case 0:
                nodes.append(softplus(nodes[-10]))
            case 1:
                nodes.append(total(nodes[-30:-10:5]))
            case 2:
                nodes.append(nodes[-20] * nodes[-10])
            case 3:
                nodes.extend(softmax(nodes[-4:]))
    return nodes[-1]


def loops_in_c(operations: int = OPERATIONS) -> Step:
    """Return the same computation by the loops of irregular.c, which gcc compiles."""
    source = Path(__file__).with_suffix(".c")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "irregular.so"
        subprocess.run(["gcc", "-O3", "-shared", "-fPIC", "-o", library, source, "-lm"], check=True)
        step = ctypes.CDLL(str(library)).step
    step.restype = ctypes.c_double
    step.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    table, nodes = [], LEAVES
    for i in range(operations):
        args = {0: [10], 1: [30, 25, 20, 15], 2: [20, 10], 3: [4, 3, 2, 1]}[i % 4]
        table.append([i % 4, nodes, *(nodes - back for back in args), *[0] * (4 - len(args))])
        nodes += 4 if i % 4 == 3 else 1
    list_of_operations = np.array(table, dtype=np.int32)
    values, grads = np.zeros(nodes), np.zeros(nodes)

    def run(leaves: Sequence[float]) -> tuple[float, Sequence[float]]:
        values[:LEAVES] = leaves
        addresses = values.ctypes.data, grads.ctypes.data
        root = step(list_of_operations.ctypes.data, operations, *addresses, nodes)
        return float(root), grads[:LEAVES].tolist()

    return run


def prepared() -> tuple[Step, Callable[[], object], float]:
    """Return a step of one sample, a call with many samples, and the seconds from Values to a gradient."""
    leaves = [Value(x) for x in START]
    root = build(leaves)
    start = time.process_time()
    step = trace(root, parameters=leaves).compile("llvm")
    step(START)
    seconds = time.process_time() - start
    half = LEAVES // 2
    batch = trace(root, inputs=leaves[:half], parameters=leaves[half:]).compile("llvm")
    columns = [np.full(BATCH, x) for x in START[:half]]
    return step, lambda: batch(START[half:], columns), seconds


def agree(steps: Sequence[Step]) -> None:
    """Check that all compute the same root and the same gradients as Values."""
    leaves = [Value(x) for x in START]
    root = build(leaves)
    root.backward()
    gradients = [leaf.grad for leaf in leaves]
    for step in steps:
        found, slopes = step(START)
        assert found == root.data == ROOT or abs(found - ROOT) < 1e-13, found
        np.testing.assert_allclose(slopes, gradients, rtol=1e-9, atol=1e-15)


def least(turns: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the least seconds of each turn; the turns alternate, as other load disturbs all of them."""
    times = dict.fromkeys(turns, float("inf"))
    for _ in range(rounds):
        for name, turn in turns.items():
            start = time.perf_counter()
            turn()
            times[name] = min(times[name], time.perf_counter() - start)
    return times


def main(rounds: int) -> None:
    step, batch, seconds = prepared()
    steps = {"llvm": step}
    if shutil.which("gcc"):
        steps["loops in C"] = loops_in_c()
    else:
        print("gcc is not installed: no loops in C", file=sys.stderr)
    agree(list(steps.values()))
    times = least({name: lambda step=it: step(START) for name, it in steps.items()}, rounds)
    one = least({"batch": batch}, max(2, rounds // 20))["batch"] / BATCH
    print(f"from Values to the first gradient   {seconds:8.2f} s")
    print(f"a sample in a batch of {BATCH}           {1e6 * one:8.0f} µs")
    for name, least_time in times.items():
        before = seconds if name == "llvm" else 0.0
        print(f"{name:12} a pass of one sample   {1e6 * least_time:8.0f} µs", end="")
        print(f"   {PASSES:,} passes {before + PASSES * least_time:6.2f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="with fewer passes")
    main(40 if parser.parse_args().quick else 1_000)
