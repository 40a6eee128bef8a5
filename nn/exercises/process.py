"""Check a file in a process of its own, which alone ends by an endless loop, a crash or an exit.

Python in a browser starts no processes: there the file runs in this one, with a limit of instructions.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import redirect_stdout, suppress
from dataclasses import asdict, replace
from functools import partial
from math import ceil
from pathlib import Path
from time import process_time

from nn.exercises.budget import Raised, attempt, limited_steps, raised
from nn.exercises.catalog import check, expected_name, prepare
from nn.exercises.result import Result

SECONDS = 2.0  # of processor time for the file and its check
WAITING = 10.0  # seconds on the wall, for a file that sleeps or a busy machine
STARTING = 20.0  # seconds for Python and its imports
MEMORY = 2**30  # bytes
CHILD = "from nn.exercises.process import main; main()"


def check_file(topic: str, path: str | os.PathLike[str], **options: object) -> Result:
    """Check a solution in a file, in a process of its own, which ends after 2 seconds of computing.

    Args:
        topic: the name of the exercise. The file defines ``Value`` for "value", ``f`` and ``derivative`` for
            "operation", and a function of the topic's name for any other.
        path: the file.
        options: ``name``, as in `check`; for "value", names of attributes.

    Returns:
        The `Result`. An endless loop, a crash, too much memory or an early exit is a result that names it.

    Raises:
        ValueError, TypeError: as in `check`.
        OSError: the file cannot be read.
    """
    known, _ = prepare(topic, (len, len) if topic == "operation" else len, options)  # refuses unknown names
    with open(path, "rb"):
        pass  # raises the OSError of a file that cannot be read
    if sys.platform == "emscripten":
        return _check_here(topic, os.path.abspath(path), options)
    packages = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([packages, os.environ.get("PYTHONPATH", "")])}
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "result.json")
        order = {"topic": topic, "path": os.path.abspath(path), "options": options, "answer": str(answer)}
        try:
            code = _run_child(json.dumps(order), environment)
        except subprocess.TimeoutExpired:
            return _ended(topic, f"it was stopped after {WAITING + STARTING:g} seconds")
        if not answer.exists():
            return _ended(topic, _reason(code))
        result = Result(**json.loads(answer.read_text("utf-8")))
    pictures = (case.picture for case in known.cases if case.text == result.graph)
    picture = next(pictures, None)
    shown = partial(picture, result.step, result.yours, result.right) if picture else None
    return replace(result, skipped=tuple(result.skipped), picture=shown)


def _run_child(order: str, environment: dict[str, str]) -> int:
    """Run the check in a process of its own, and return its exit code.

    What it prints is thrown away, as a file may print without end. Processes that a file starts end with
    it.
    """
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, text=True, env=environment, start_new_session=True,
    )  # fmt: skip
    try:
        child.communicate(order, timeout=WAITING + STARTING)
    finally:
        if sys.platform != "win32":
            with suppress(ProcessLookupError, PermissionError):  # none of the group is left
                os.killpg(child.pid, signal.SIGKILL)
        child.kill()
        child.wait()
    return child.returncode


def _reason(code: int) -> str:
    if code in [-getattr(signal, name, 0) for name in ("SIGPROF", "SIGXCPU")]:
        return f"it was stopped after {SECONDS:g} seconds of computing: a loop without end?"
    if hasattr(signal, "SIGALRM") and code == -signal.SIGALRM:
        return f"it was stopped after {WAITING:g} seconds of waiting"
    if code < 0:
        return f"Python crashed (signal {-code})"
    return f"it ended Python before the check was done (exit code {code})"


def _ended(topic: str, reason: str) -> Result:
    return Result(topic, False, step="the file", yours=reason, right="a file that runs to its end")


def main() -> None:
    """Check one file, as standard input asks, write the result, and end with all threads of the file."""
    order = json.load(sys.stdin)
    answer, dumps = Path(order["answer"]), json.dumps  # the file may replace a function of Python
    topic, path, options = order["topic"], order["path"], order["options"]
    _limit()
    try:
        result = _check_names(topic, attempt(lambda: _run_file(path)), options)
    except BaseException as error:  # such as a KeyboardInterrupt that the file raises
        result = _ended(topic, str(raised(error)))
    written = answer.with_suffix(".part")
    written.write_text(dumps(asdict(replace(result, picture=None)) | {"picture": None}), "utf-8")
    written.replace(answer)
    os._exit(0)


def _check_here(topic: str, path: str, options: dict[str, object]) -> Result:
    """Check a file in this process, with a limit of instructions. Its output is thrown away, too."""
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        with limited_steps():
            space = attempt(lambda: _run_file(path))
        return _check_names(topic, space, options)


def _check_names(topic: str, space: object, options: dict[str, object]) -> Result:
    """Check what a file has defined: its names, or the error that it raised."""
    if isinstance(space, Raised):
        return _ended(topic, str(space))
    names, found = expected_name(topic), space if isinstance(space, dict) else {}
    if missing := [name for name in names if name not in found]:
        wanted = f"a file that defines {' and '.join(names)}"
        return Result(
            topic, False, step="the file", yours=f"it defines no {' and no '.join(missing)}", right=wanted
        )
    return _checked(topic, found[names[0]] if len(names) == 1 else tuple(map(found.get, names)), options)


def _run_file(path: str) -> dict[str, object]:
    import runpy

    with open(path, "rb") as file:
        if b"\0" in file.read():
            raise SyntaxError("this is no text in UTF-8; save the file in that encoding")
    if (folder := os.path.dirname(path)) not in sys.path:
        sys.path.append(folder)  # a file may import others beside it
    return runpy.run_path(path, run_name="solution")


def _checked(topic: str, mine: object, options: dict[str, object]) -> Result:
    try:
        return check(topic, mine, **options)
    except TypeError as error:
        return Result(
            topic, False, step="the file", yours=str(error), right="a solution as the topic asks for"
        )


def _limit() -> None:
    """Let the system end this process: at a time limit, and at a limit of memory. Windows has neither."""
    if not hasattr(signal, "setitimer"):
        return
    import resource

    allowed = ceil(process_time() + SECONDS) + 1  # for a file that turns the timers off
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, allowed + 1))
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.setitimer(signal.ITIMER_REAL, WAITING)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
