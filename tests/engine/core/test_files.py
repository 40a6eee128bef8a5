"""A file is written completely or not at all, whatever fails."""

import contextlib
import errno
import os
import subprocess
import sys
import textwrap
import time

import pytest

from engine import write_whole

on_posix = pytest.mark.skipif(os.name == "nt", reason="links need a right that users do not have")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text("old")
    return path


@pytest.mark.parametrize(
    "text", ["", "x = 3", "Δ 漢字 \N{SNOWMAN}", "one\ntwo\r\nthree\r", "x" * 1_000_000], ids=len
)
def test_the_text_is_written_byte_by_byte(path, text):
    assert write_whole(path, text) == path
    assert path.read_bytes() == text.encode()
    assert os.listdir(path.parent) == ["note.txt"]


def test_a_path_may_be_a_str(path):
    write_whole(str(path), "new")
    assert path.read_text() == "new"


FAULTS = [OSError(errno.ENOSPC, "disk full"), MemoryError(), KeyboardInterrupt()]


def failing(path, number, error):
    """Write a file while the call of that number raises ``error``; return the number of calls."""
    calls = 0

    def profile(frame, event, arg):
        nonlocal calls
        if event == "c_call" and frame.f_code is write_whole.__code__:
            calls += 1
            if calls == number:
                raise error

    sys.setprofile(profile)
    try:
        write_whole(path, "new")
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
def test_the_old_file_stays_whole_and_alone_whichever_call_fails(path, tmp_path, error):
    other = tmp_path / "other"
    other.mkdir()
    calls = failing(other / "note.txt", 0, error)
    (other / "note.txt").unlink()
    other.rmdir()
    assert calls >= 6  # encode, urandom, open, write, flush, fsync, replace
    for number in range(1, calls + 1):
        with contextlib.suppress(type(error)):
            failing(path, number, error)
        assert os.listdir(tmp_path) == ["note.txt"], number
        assert path.read_text() == "old", number


KILLED = """
    import os, sys
    from engine import write_whole

    path, found = sys.argv[1], []

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
            write_whole(path, "new")
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9

    for event in ("c_call", "c_return"):
        number = 1
        write_whole(path, "old")
        while killed(event, number):
            found.append(open(path).read())
            number += 1
            write_whole(path, "old")
    print(*found)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forks of itself")
def test_after_a_kill_at_any_call_the_file_is_the_old_one_or_the_new_one(path):
    command = [sys.executable, "-c", textwrap.dedent(KILLED), path]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert len(found) >= 12
    assert set(found) == {"old", "new"}
    assert found.count("new") <= 4  # from the moment at which it is in its place


def test_a_part_file_of_a_killed_process_is_removed_an_hour_later(tmp_path):
    path = tmp_path / "a [1].txt"
    old, young, other = ".a [1].txt.0123.part", ".a [1].txt.4567.part", ".other.txt.89.part"
    for name, age in ((old, 7200), (young, 60), (other, 7200)):
        (tmp_path / name).write_text("{")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    write_whole(path, "new")
    assert sorted(os.listdir(tmp_path)) == [young, other, "a [1].txt"]


def test_a_part_file_that_cannot_be_removed_does_not_stop_a_write(path):
    left = path.with_name(".note.txt.0123.part")
    left.mkdir()
    os.utime(left, (time.time() - 7200,) * 2)
    write_whole(path, "new")
    assert sorted(os.listdir(path.parent)) == [left.name, "note.txt"]


def test_the_part_file_is_not_guessable_and_never_an_existing_one(path, monkeypatch):
    bytes_asked = []
    monkeypatch.setattr(os, "urandom", lambda n: bytes_asked.append(n) or b"\0" * n)
    planted = path.with_name(f".note.txt.{'00' * 8}.part")
    planted.write_text("planted")
    with pytest.raises(FileExistsError):
        write_whole(path, "new")
    assert bytes_asked == [8]
    assert path.read_text() == "old"


@on_posix
def test_a_link_planted_at_the_part_file_is_not_followed(path, monkeypatch):
    monkeypatch.setattr(os, "urandom", lambda n: b"\0" * n)
    victim = path.with_name("victim.txt")
    victim.write_text("precious")
    path.with_name(f".note.txt.{'00' * 8}.part").symlink_to(victim)
    with pytest.raises(FileExistsError):
        write_whole(path, "new")
    assert victim.read_text() == "precious"


@on_posix
def test_a_link_at_the_target_stays_a_link(path):
    link = path.with_name("link.txt")
    link.symlink_to(path)
    assert write_whole(link, "new") == link
    assert link.is_symlink()
    assert path.read_text() == "new"


@pytest.mark.parametrize("device", [False, True])
def test_only_a_file_is_replaced(tmp_path, device):
    path = tmp_path / "folder"
    if device:
        if not hasattr(os, "mkfifo"):
            pytest.skip("no pipes in folders here")
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(OSError, match="expected a file, or nothing"):
        write_whole(path, "new")
    assert os.listdir(tmp_path) == ["folder"]


def test_a_missing_folder_is_the_systems_own_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "missing" / "note.txt", "new")


def test_half_a_surrogate_pair_is_refused_before_anything_is_written(path):
    with pytest.raises(ValueError, match="surrogates not allowed"):
        write_whole(path, "\ud800")
    assert path.read_text() == "old"


@pytest.mark.parametrize("wrong", [None, 5.0])
def test_a_path_is_a_path(wrong):
    with pytest.raises(TypeError):
        write_whole(wrong, "new")
