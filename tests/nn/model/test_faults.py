"""Faults from outside: a kill or a full disk during a save, a damaged file, Ctrl-C anywhere in a run."""

import contextlib
import os
import pathlib
import random
import shlex
import signal
import struct
import subprocess
import sys
import textwrap
import time

import pytest

from engine.core import files
from nn import MLP, SGD, Adam, fit, load, save
from nn.__main__ import main


def net(seed=0):
    return MLP(2, [2, 1], activation="tanh", rng=random.Random(seed))


def bits(model):
    return [struct.pack("d", p.data) for p in model.parameters()]


# Saving


class Fault:
    """Counts the system calls of `engine.core.files`, and makes one of them fail."""

    def __init__(self, number, error):
        self.number, self.error, self.calls = number, error, 0

    def __call__(self, frame, event, arg):
        if (
            event == "c_call"
            and frame.f_code.co_filename == files.__file__
            and frame.f_code.co_name == "write_whole"
        ):
            self.calls += 1
            if self.calls == self.number:
                sys.setprofile(None)
                raise self.error


def faulty_save(model, path, number, error):
    fault, outer = Fault(number, error), sys.getprofile()
    sys.setprofile(fault)
    try:
        save(model, path)
    finally:
        sys.setprofile(outer)
    return fault.calls


FAULTS = [OSError(28, "No space left on device"), KeyboardInterrupt(), MemoryError()]


@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
def test_if_any_system_call_fails_the_old_file_is_whole_and_alone(tmp_path, error):
    path = tmp_path / "model.json"
    save(net(1), path)
    old = path.read_bytes()
    calls = faulty_save(net(1), path, 0, error)
    assert calls >= 6  # open, write, flush, fileno, fsync, replace
    for number in range(1, calls + 1):
        with pytest.raises(type(error)):
            faulty_save(net(2), path, number, error)
        assert os.listdir(tmp_path) == ["model.json"], number
        assert path.read_bytes() == old, number


KILLED = """
    import os, random, sys
    from nn import MLP, load, save
    from engine.core.files import write_whole

    folder, place = sys.argv[1], os.path.join(sys.argv[1], "model.json")
    old, new = (MLP(2, [2, 1], rng=random.Random(seed)) for seed in (1, 2))
    numbers = [[p.data for p in model.parameters()] for model in (old, new)]
    found = []

    def killed(event, number):
        calls = 0
        def profile(frame, what, arg):
            nonlocal calls
            if what == event and frame.f_code is write_whole.__code__:
                calls += 1
                if calls == number:
                    os._exit(9)
        if not (child := os.fork()):
            sys.setprofile(profile)
            save(new, place)
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9

    for event in ("c_call", "c_return"):
        number = 1
        save(old, place)
        while killed(event, number):
            found.append(numbers.index([p.data for p in load(place).parameters()]))
            number += 1
            save(old, place)
    print(found)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forks of itself")
def test_a_save_killed_at_any_call_leaves_the_old_file_or_the_new_one(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), tmp_path], capture_output=True, text=True, check=True
    )
    found = eval(run.stdout)
    assert len(found) >= 12
    assert set(found) == {0, 1}
    assert found.count(1) <= 4  # killed after the replacement


def test_a_later_save_removes_the_partial_file_of_a_killed_one(tmp_path):
    path = tmp_path / "a [1].json"
    old, young, other = ".a [1].json.0123.part", ".a [1].json.4567.part", ".other.json.89.part"
    for name, age in ((old, 7200), (young, 60), (other, 7200)):
        (tmp_path / name).write_text("{")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    save(net(), path)
    assert sorted(os.listdir(tmp_path)) == [young, other, "a [1].json"]


def test_a_partial_file_that_cannot_be_removed_does_not_stop_a_save(tmp_path):
    left = tmp_path / ".model.json.0123.part"
    left.mkdir()
    os.utime(left, (time.time() - 7200,) * 2)
    save(net(), tmp_path / "model.json")
    assert sorted(os.listdir(tmp_path)) == [left.name, "model.json"]


FULL = """
    import os, resource, signal, sys
    from nn import MLP, save

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    model = MLP(2, [30, 1])
    for size in range(0, 3000, 500):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        try:
            save(model, sys.argv[1])
        except OSError as error:
            print(error.errno)
"""


def test_a_write_that_the_system_cuts_short_keeps_the_old_file(tmp_path):
    pytest.importorskip("resource")
    path = tmp_path / "model.json"
    save(net(), path)
    old = path.read_bytes()
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL), path], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["27"] * 6  # EFBIG
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["model.json"]


# Loading


@pytest.fixture
def outcome(tmp_path, monkeypatch):
    """Return a function from the bytes of a file to the bits of its model, or None if it is refused."""

    def found(content):
        monkeypatch.setattr(pathlib.Path, "read_bytes", lambda path: content)
        try:
            return bits(load("model.json"))
        except ValueError:
            return None

    save(net(), tmp_path / "model.json")
    found.whole = (tmp_path / "model.json").read_bytes()
    found.same = bits(net())
    assert found(found.whole) == found.same
    return found


def test_every_truncated_file_is_refused(outcome):
    whole = outcome.whole
    assert {outcome(whole[:length]) for length in range(len(whole))} == {None}


def test_any_changed_byte_gives_an_error_or_the_same_model(outcome):
    whole = outcome.whole
    for place in range(len(whole)):
        for byte in {whole[place] ^ 1 << bit for bit in range(8)} | set(b"09e-.]} \n") - {whole[place]}:
            changed = whole[:place] + bytes([byte]) + whole[place + 1 :]
            assert outcome(changed) in (None, outcome.same), (place, byte)


def test_swapped_or_missing_bytes_give_an_error_or_the_same_model(outcome):
    whole = outcome.whole
    for i in range(len(whole) - 1):
        a, b = whole[i : i + 1], whole[i + 1 : i + 2]
        assert outcome(whole[:i] + b + a + whole[i + 2 :]) in (None, outcome.same), i
        assert outcome(whole[:i] + b + whole[i + 2 :]) in (None, outcome.same), i


# Ctrl-C


class Press:
    """Counts the events of a trace of the run, and sends the signal of Ctrl-C at one of them."""

    def __init__(self, at):
        self.at, self.seen, self.near = at, 0, []

    def __call__(self, frame, event, arg):
        close = frame.f_code.co_filename.endswith(("fit.py", "optim.py", "contextlib.py", "runs.py"))
        frame.f_trace_opcodes = close  # before every instruction of the modules that move parameters
        self.seen += 1
        if close:
            self.near.append(self.seen)
        if self.seen == self.at:
            sys.settrace(None)
            signal.raise_signal(signal.SIGINT)
        return self


XS, YS = [[0.5, -1.0], [1.0, 0.25]], [1, -1]


def run(make, backend, at):
    """Make a short run with Ctrl-C at one event; return the state of model and optimizer after it."""
    model = net()
    optimizer, press, outer = make(model.parameters()), Press(at), sys.gettrace()
    interrupted = False
    sys.settrace(press)
    try:
        interrupted = fit(
            model, XS, YS, "hinge", optimizer, 2, 1, random.Random(0), backend, progress=False
        ).interrupted
    except KeyboardInterrupt:  # before the first step, or after the last
        interrupted = True
    finally:
        sys.settrace(outer)
    return press, interrupted, optimizer.steps, (bits(model), repr(optimizer.memory))


class Enough(Exception):
    """Stops a run after a number of steps."""


def state(make, backend, steps):
    """Return the state of model and optimizer after that many whole steps."""
    model = net()
    optimizer = make(model.parameters())
    step, left = optimizer.step, iter(range(steps))

    def counted():
        if next(left, None) is None:
            raise Enough
        step()

    optimizer.step = counted
    with contextlib.suppress(Enough):
        fit(model, XS, YS, "hinge", optimizer, 2, 1, random.Random(0), backend, progress=False)
    return bits(model), repr(optimizer.memory)


def momentum(parameters):
    return SGD(parameters, lr=0.1, momentum=0.9)


# Ctrl-C while Python closes a generator is lost, and Python prints a warning about it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("backend", ["eager", "python"])
@pytest.mark.parametrize("make", [momentum, Adam])
def test_ctrl_c_at_any_instruction_leaves_no_step_half_done(make, backend):
    states = [state(make, backend, steps) for steps in range(5)]
    run(make, backend, 0)  # Python imports and caches, so the first run is longer than the others
    whole, _, steps, _ = run(make, backend, 0)
    assert steps == 4
    everywhere = range(1, whole.seen, max(1, whole.seen // 25))
    stopped = 0
    for at in sorted({*whole.near[:: max(1, len(whole.near) // 100)], *everywhere}):
        press, interrupted, steps, found = run(make, backend, at)
        if press.seen < at:
            continue  # Python caches, so one run may be a few instructions shorter than another
        assert interrupted or steps == 4, at
        assert found == states[steps], at
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, at
        stopped += interrupted
    assert stopped > 100


# The command line on a full disk


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_is_one_line_of_the_command_line(tmp_path, capsys, monkeypatch, call):
    pytest.importorskip("matplotlib")

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(SystemExit) as caught:
        main(["--data", "xor", "--layers", "2", "--epochs", "1", "--out", str(tmp_path)])
    err = capsys.readouterr().err
    assert caught.value.code == 2
    assert err == "python -m nn: OSError: [Errno 28] No space left on device (see --help)\n"
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is always full")
def test_a_full_output_does_not_lose_the_model(tmp_path, capsys, monkeypatch):
    pytest.importorskip("matplotlib")
    full = open("/dev/full", "w")  # noqa: SIM115
    monkeypatch.setattr(sys, "stdout", full)
    with pytest.raises(SystemExit) as caught:
        main(["--data", "xor", "--layers", "2", "--epochs", "1", "--out", str(tmp_path)])
    with contextlib.suppress(OSError):
        full.close()
    err = capsys.readouterr().err
    assert caught.value.code == 1
    assert err == f"python -m nn: the output could not be written; the files are in {tmp_path}\n"
    assert load(tmp_path / "model.json").nouts == [2, 2]


RUN = [sys.executable, "-m", "nn", "--data", "xor", "--layers", "2", "--epochs", "2"]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_characters_that_the_output_lacks_are_replaced(tmp_path, encoding):
    pytest.importorskip("matplotlib")
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(
        [*RUN, "--lens", "--out", tmp_path / "o"], env=environment, capture_output=True, check=True
    )
    assert b"?_k = " in done.stdout
    assert done.stderr == b""
    assert load(tmp_path / "o" / "model.json").nouts == [2, 2]


@pytest.mark.skipif(os.name == "nt", reason="the shell of POSIX is needed")
@pytest.mark.parametrize("redirection", ["| head -n 1", "2>&-", ">&-", "> /dev/full"])
def test_the_model_is_saved_whatever_happens_to_the_output(tmp_path, redirection):
    pytest.importorskip("matplotlib")
    command = f"{shlex.join(RUN)} --out {shlex.quote(str(tmp_path / 'o'))} {redirection}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert load(tmp_path / "o" / "model.json").nouts == [2, 2]
