"""One chain of one engine in a process of its own, for some of them crash: how fast, how heavy, what is left.

python benchmarks/chain.py micrograd 600     prints one line of figures as JSON
"""

from __future__ import annotations

import gc
import json
import resource
import statistics
import sys
import time
import tracemalloc
from typing import Any

from peers import values


def chain(value: Any, links: int) -> Any:
    """A chain of so many nodes: ``x = x * w + b`` again and again."""
    x, w, b = value(1.0), value(0.999), value(0.001)
    for _ in range(links // 2):
        x = x * w + b
    return x


def timed(value: Any, links: int) -> dict[str, float]:
    """Seconds to build, run backward and drop; then what the collector finds left, in objects."""
    start = time.process_time()
    root = chain(value, links)
    built = time.process_time()
    root.backward()
    done = time.process_time()
    del root
    dropped = time.process_time()
    return {"build": built - start, "backward": done - built, "drop": dropped - done, "left": gc.collect()}


def weighed(value: Any, links: int) -> dict[str, float]:
    """Bytes held once the chain is built and once backward is done, and the most held in between."""
    tracemalloc.start()
    root = chain(value, links)
    built, _ = tracemalloc.get_traced_memory()
    root.backward()
    done, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"built": built, "done": done, "peak": peak}


def resident() -> int:
    """The most memory that this process has held so far, in bytes."""
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
