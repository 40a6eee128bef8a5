"""Compare the speed and the memory of the engine with other scalar engines.

    make bench                                  every table
    python benchmarks/eager.py step chain       the named tables (step, ops, chain, startup)

The others: micrograd 0.1.0 (PyPI), minigrad 0.0.6 (PyPI, written in C), and a Value in microgpt's style
(tuples.py). Before anything is timed, the gradients of all engines are compared. The engines are interleaved,
and each number is a median of processor time. "on" and "off" refer to Python's garbage collector: reference
cycles make it slow, so both are measured. With it on, a measurement is a few consecutive steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench import ROOT, figure, medians, of_children, print_tables, python, table
from peers import FRAGILE, PEER, steps, values

LONG, RECURSIVE = 1_000_000, 600  # nodes of a chain; a recursive sort fails at about 1,000

OPS: dict[str, Callable[[Any, Any], Any]] = {
    "a + b": lambda a, b: a + b,
    "a - b": lambda a, b: a - b,
    "a * b": lambda a, b: a * b,
    "a / b": lambda a, b: a / b,
    "a * 2.0": lambda a, b: a * 2.0,
    "a ** 2": lambda a, b: a**2,
    "a ** b": lambda a, b: a**b,
    "-a": lambda a, b: -a,
    "a.relu()": lambda a, b: a.relu(),
    "a.exp()": lambda a, b: a.exp(),
    "a.log()": lambda a, b: a.log(),
    "a.tanh()": lambda a, b: a.tanh(),
    "a.sigmoid()": lambda a, b: a.sigmoid(),
    "a.gelu()": lambda a, b: a.gelu(),
}


def step_table(rounds: int) -> str:
    """Measure a training step of MLP(2, [16, 16, 1]) on 100 samples, max-margin loss plus 1e-4 Σ p²."""
    turns = {name: step for name, (_, step) in steps().items()}
    off, on = (medians(turns, rounds, collect, time.process_time) for collect in (False, True))
    head = ["one training step", "off, ms", f"x {PEER}", "on, ms", f"x {PEER}"]
    return table(
        head,
        [
            [name, *(cell for t in (off, on) for cell in (figure(1e3 * t[name]), figure(t[PEER] / t[name])))]
            for name in turns
        ],
    )


def ops_table(rounds: int, count: int = 2000) -> str:
    """Measure the time to create and free a node of each operation."""
    engines = values()
    rows = []
    for text, op in OPS.items():
        loops = {}
        for name, value in engines.items():
            a, b = value(0.7), value(1.3)
            if supports(name, text, a, b):
                loops[name] = lambda op=op, a=a, b=b: [op(a, b) for _ in range(count)]
        times = medians(loops, rounds, clock=time.process_time)
        rows.append([text, *(figure(1e9 * times[name] / count) if name in times else "" for name in engines)])
    return table(["ns to make a node, off", *engines], rows)


def supports(name: str, text: str, a: Any, b: Any) -> bool:
    """Return whether the engine has the operation. minigrad's others free memory that they do not own."""
    if name == FRAGILE:
        return text in ("a + b", "a * b", "a.relu()")
    try:
        OPS[text](a, b)
    except (AssertionError, AttributeError, TypeError):
        return False
    return True


def chain_table() -> str:
    """Measure chains, each in its own process: the depth, the time and the memory for each node."""
    times, sizes = ["build", "backward", "drop"], ["built", "done", "peak", "resident"]
    rows = []
    for name in values():
        for links in (RECURSIVE, LONG):
            status, figures = python(str(ROOT / "benchmarks" / "chain.py"), name, str(links))
            if isinstance(figures, str):
                cause = f"signal {-status}" if status < 0 else figures.split(":")[0]
                rows.append([name, f"{links:,}", cause, *[""] * 7])
                continue
            cells = [figure(1e9 * figures[what]) for what in times]
            cells += [figure(figures[what]) if links == LONG else "" for what in sizes]
            rows.append([name, f"{links:,}", *cells, figure(figures["left"])])
    head = ["a chain, off", "nodes", *(f"{what}, ns" for what in times), *(f"{what}, B" for what in sizes)]
    return table([*head, "left to the collector"], rows)


def startup_table(rounds: int) -> str:
    """Measure the start of Python, and the time that an import adds."""
    imports = ["pass", "import engine", "import nn", "import micrograd.engine"]
    starts = {what: lambda what=what: python("-c", what) for what in imports}
    times = medians(starts, 3 * rounds, clock=of_children)
    rows = [[what, figure(1e3 * t), figure(1e3 * (t - times["pass"]))] for what, t in times.items()]
    return table(["python -c", "ms", "beyond pass"], rows)


if __name__ == "__main__":
    tables: dict[str, Callable[[int, bool], None]] = {
        "step": lambda rounds, quick: print(step_table(rounds)),
        "ops": lambda rounds, quick: print(ops_table(rounds)),
        "chain": lambda rounds, quick: print(chain_table()),
        "startup": lambda rounds, quick: print(startup_table(rounds)),
    }
    print_tables("Compare the engine with other scalar engines.", tables, 7, 3)
