"""The progress of a training run."""

import io
import sys

import pytest

from nn.training.history import Epoch
from nn.training.progress import Progress, show

EPOCH = Epoch(0.25, 0.5)


def watch(epochs, wanted=True):
    progress = Progress(epochs, 2, wanted)
    for number in range(1, epochs + 1):
        for _ in range(2):
            progress.step()
        progress.epoch(number, EPOCH)
    progress.close()


@pytest.fixture
def terminal(monkeypatch):
    """Return a function that sets whether standard error is a terminal; to be called within the test."""
    return lambda yes: monkeypatch.setattr(sys.stderr, "isatty", lambda: yes)


def test_without_a_terminal_some_epochs_are_printed(capsys, terminal):
    terminal(False)
    watch(100)
    out, err = capsys.readouterr()
    assert out.split("\n")[0] == "epoch 10/100  loss 0.25  accuracy 50.0%"
    assert len(out.strip().split("\n")) == 10
    assert err == ""


def test_a_short_run_prints_every_epoch_and_any_run_its_last(capsys, terminal):
    terminal(False)
    watch(3)
    assert len(capsys.readouterr().out.strip().split("\n")) == 3
    watch(25)
    assert capsys.readouterr().out.strip().split("\n")[-1].startswith("epoch 25/25")


def test_a_terminal_shows_a_bar(capsys, terminal):
    pytest.importorskip("tqdm")
    terminal(True)
    watch(3)
    out, err = capsys.readouterr()
    assert out == ""
    assert "epoch 3/3" in err
    assert "100%" in err
    assert "loss 0.25" in err


def test_a_terminal_without_tqdm_shows_lines(capsys, monkeypatch, terminal):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    terminal(True)
    watch(3)
    out, err = capsys.readouterr()
    assert len(out.strip().split("\n")) == 3
    assert err == ""


@pytest.mark.parametrize("yes", [True, False])
def test_progress_can_be_switched_off(capsys, terminal, yes):
    terminal(yes)
    watch(3, wanted=False)
    assert capsys.readouterr() == ("", "")


class Broken:
    """An output that cannot be written."""

    encoding = "utf-8"

    def __init__(self, error):
        self.error, self.writes = error, 0

    def write(self, text):
        self.writes += 1
        raise self.error

    def flush(self):
        raise self.error


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(28, "full"), ValueError("closed file")])
def test_an_output_that_cannot_be_written_is_not_an_error(monkeypatch, error):
    out = Broken(error)
    monkeypatch.setattr(sys, "stdout", out)
    watch(100)
    assert out.writes == 1


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_missing_output_is_not_an_error(monkeypatch, name):
    monkeypatch.setattr(sys, name, None)
    watch(3)


def test_a_closed_stderr_is_no_terminal(monkeypatch, tmp_path, capsys):
    closed = open(tmp_path / "err", "w")  # noqa: SIM115
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    watch(3)
    assert "epoch 3/3" in capsys.readouterr().out


def test_characters_that_the_output_lacks_become_question_marks(monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    assert show("Δ_k = 1")
    assert out.buffer.getvalue() == b"?_k = 1\n"
