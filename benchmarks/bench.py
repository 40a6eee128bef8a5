"""Tools of all benchmarks: timing, tables, the command line and the name of the machine."""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:
    sys.exit("the benchmarks measure processor time by the module resource, which Windows does not have")

ROOT = Path(__file__).parent.parent
Clock = Callable[[], float]
LAPS = 4  # consecutive calls if the garbage collector is on


def machine() -> str:
    """Return a description of the processor, its cores and the Python."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{model or platform.machine()}, {os.cpu_count()} cores, {platform.system()}, {python}"


def of_children() -> float:
    """Return the processor time of all finished child processes; it serves as a clock."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def seconds(f: Callable[[], object], collect: bool, clock: Clock = time.perf_counter) -> list[float]:
    """Return the time of one call with the garbage collector off, or of a few consecutive calls with it on.

    Garbage is collected before the first call only: as in training, one call leaves garbage to the next.
    """
    gc.collect()
    if not collect:
        gc.disable()
    times = []
    try:
        for _ in range(LAPS if collect else 1):
            start = clock()
            f()
            times.append(clock() - start)
    finally:
        gc.enable()
    return times


def medians(
    contenders: Mapping[str, Callable[[], object]],
    rounds: int,
    collect: bool = False,
    clock: Clock = time.perf_counter,
) -> dict[str, float]:
    """Return the median time of each contender, in seconds.

    The contenders are interleaved, so that other load affects all of them alike.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, f in contenders.items():
            times[name] += seconds(f, collect, clock)
    return {name: statistics.median(all_times) for name, all_times in times.items()}


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return an aligned Markdown table: the first column is a name, the others are numbers."""
    cells = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return "\n".join(aligned(cells[0], cells[1:], widths))


def aligned(head: Sequence[str], rows: Iterable[Sequence[object]], widths: Sequence[int]) -> Iterator[str]:
    """Yield the lines of a table one by one, so that each can be printed as soon as it is measured."""

    def line(row: Sequence[object]) -> str:
        figures = [str(cell).rjust(width) for cell, width in zip(row[1:], widths[1:])]
        return f"| {' | '.join([str(row[0]).ljust(widths[0]), *figures])} |"

    yield line(head)
    yield line(["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    yield from map(line, rows)


def print_tables(
    what: str, tables: Mapping[str, Callable[[int, bool], None]], rounds: int, quick: int
) -> None:
    """Run the command line of a benchmark, which prints the tables that it names, or all of them.

    Args:
        what: a description of the benchmark.
        tables: for each name, a function that prints the table; it takes the number of rounds and --quick.
        rounds: the default number of rounds.
        quick: the number of rounds with --quick.
    """
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("tables", nargs="*", help=f"{', '.join(tables)}; all of them by default")
    parser.add_argument(
        "--rounds", type=int, default=rounds, help=f"calls of each contender (default {rounds})"
    )
    parser.add_argument("--quick", action="store_true", help="fewer calls, without the slow parts")
    options = parser.parse_args()
    if unknown := [name for name in options.tables if name not in tables]:
        parser.error(f"there is no table {unknown[0]!r}; there are {', '.join(tables)}")
    print(machine(), end="\n\n")
    for name in options.tables or tables:
        tables[name](quick if options.quick else options.rounds, options.quick)
        print(flush=True)


def python(*args: str) -> tuple[int, Any]:
    """Run Python in its own process; return the exit status and the last line, parsed if it is JSON."""
    env = {name: it for name, it in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # as installed
    command = [sys.executable, *args]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, check=False)
    lines = (done.stdout or done.stderr).strip().splitlines() or [""]
    return done.returncode, json.loads(lines[-1]) if lines[-1].startswith("{") else lines[-1]


def figure(x: float) -> str:
    """Return the number with about three digits: 1,234 or 12.3 or 1.23."""
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.1f}" if abs(x) >= 10 else f"{x:.2f}"
