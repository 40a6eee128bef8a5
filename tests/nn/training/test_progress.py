"""What a person sees while a model learns."""

import sys

import pytest

from nn.training.history import Epoch
from nn.training.progress import Progress

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
    """Says whether standard error is a terminal; to be called within the test."""
    return lambda yes: monkeypatch.setattr(sys.stderr, "isatty", lambda: yes)


def test_elsewhere_a_line_now_and_then(capsys, terminal):
    terminal(False)
    watch(100)
    out, err = capsys.readouterr()
    assert out.split("\n")[0] == "epoch 10/100  loss 0.25  accuracy 50.0%"
    assert len(out.strip().split("\n")) == 10
    assert err == ""


def test_a_short_run_shows_every_epoch_and_a_crooked_one_its_last(capsys, terminal):
    terminal(False)
    watch(3)
    assert len(capsys.readouterr().out.strip().split("\n")) == 3
    watch(25)
    assert capsys.readouterr().out.strip().split("\n")[-1].startswith("epoch 25/25")


def test_in_a_terminal_a_bar(capsys, terminal):
    pytest.importorskip("tqdm")
    terminal(True)
    watch(3)
    out, err = capsys.readouterr()
    assert out == ""
    assert "epoch 3/3" in err
    assert "100%" in err
    assert "loss 0.25" in err


def test_in_a_terminal_without_tqdm_lines(capsys, monkeypatch, terminal):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    terminal(True)
    watch(3)
    out, err = capsys.readouterr()
    assert len(out.strip().split("\n")) == 3
    assert err == ""


@pytest.mark.parametrize("yes", [True, False])
def test_silence_if_that_is_wanted(capsys, terminal, yes):
    terminal(yes)
    watch(3, wanted=False)
    assert capsys.readouterr() == ("", "")
