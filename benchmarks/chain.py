"""Measure the time and the memory of a chain of one engine, in a separate process, as some engines crash.

python benchmarks/chain.py micrograd 600     prints one line of JSON
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
import tracemalloc
from typing import Any

from bench import resource
from peers import values


def chain(value: Any, links: int) -> Any:
    """Return a chain of ``links`` nodes: ``x = x * w + b``, repeated."""
    x, w, b = value(1.0), value(0.999), value(0.001)
    for _ in range(links // 2):
        x = x * w + b
    return x


def timed(value: Any, links: int) -> dict[str, float]:
    """Return the seconds to build, run backward and free, and the number of objects left to the collector."""
    start = time.process_time()
    root = chain(value, links)
    built = time.process_time()
    root.backward()
    done = time.process_time()
    del root
    dropped = time.process_time()
    return {"build": built - start, "backward": done - built, "drop": dropped - done, "left": gc.collect()}


def weighed(value: Any, links: int) -> dict[str, float]:
    """Return the bytes in use after building, after backward, and at the peak."""
    tracemalloc.start()
    root = chain(value, links)
    built, _ = tracemalloc.get_traced_memory()
    root.backward()
    done, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"built": built, "done": done, "peak": peak}


def resident() -> int:
    """Return the largest memory that this process has used so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main(name: str, links: int) -> None:
    value = values()[name]
    gc.collect()
    gc.disable()
    before = resident()
    turns = [timed(value, links) for _ in range(max(3, 50_000 // links))]
    figures = {what: statistics.median(turn[what] for turn in turns) for what in turns[0]}
    figures["resident"] = resident() - before
    figures |= weighed(value, links)
    print(json.dumps({what: figure / links for what, figure in figures.items()}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
