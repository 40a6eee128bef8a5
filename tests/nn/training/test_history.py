"""The record of a training run."""

import math
from xml.etree import ElementTree

from nn import History
from nn.training.history import Epoch


def history(*epochs, interrupted=False):
    made = History()
    made.epochs += epochs
    made.interrupted = interrupted
    return made


def test_each_list_has_one_number_an_epoch():
    h = history(Epoch(1.0, 0.5, 2.0, 0.25), Epoch(0.5, 0.75, 1.5, 0.5))
    assert (h.loss, h.accuracy) == ([1.0, 0.5], [0.5, 0.75])
    assert (h.validation_loss, h.validation_accuracy) == ([2.0, 1.5], [0.25, 0.5])


def test_without_classes_there_is_no_accuracy():
    h = history(Epoch(1.0, None, 2.0, None))
    assert (h.accuracy, h.validation_accuracy) == ([None], [None])


def test_without_validation_its_lists_are_empty():
    h = history(Epoch(1.0, 0.5))
    assert (h.validation_loss, h.validation_accuracy) == ([], [])


def test_an_epoch_prints_its_numbers():
    assert str(Epoch(0.12345, None)) == "loss 0.1235"
    assert str(Epoch(1.0, 0.5)) == "loss 1  accuracy 50.0%"
    assert str(Epoch(1.0, 0.5, 2.0, 0.25)) == "loss 1  accuracy 50.0%  |  validation loss 2  accuracy 25.0%"


def test_a_long_run_is_shown_in_ten_lines():
    assert repr(history(*[Epoch(1.0, None)] * 3)).count("\n") == 2
    lines = repr(history(*[Epoch(1.0, None)] * 1000)).split("\n")
    assert len(lines) == 10
    assert lines[0].startswith("epoch  100 ")
    assert lines[-1].startswith("epoch 1000 ")


def test_the_last_epoch_is_always_shown():
    assert repr(history(*[Epoch(1.0, None)] * 25)).split("\n")[-1].startswith("epoch 25")


def test_an_interrupted_run_is_marked():
    assert repr(history(Epoch(1.0, None), interrupted=True)).endswith("\ninterrupted")
    assert repr(history(interrupted=True)) == "interrupted"
    assert repr(history()) == "no epoch was completed"


def curves(h):
    html = ElementTree.fromstring(f"<html>{h._repr_html_()}</html>")
    return [
        [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
        for line in html.iter("polyline")
    ]


def test_html_has_a_curve_from_left_to_right():
    [curve] = curves(history(Epoch(4.0, None), Epoch(2.0, None), Epoch(1.0, None)))
    assert curve == [(0.0, 0.0), (180.0, 60.0), (360.0, 90.0)]


def test_validation_has_a_curve_of_its_own_on_the_same_scale():
    learned, tested = curves(history(Epoch(1.0, None, 4.0), Epoch(0.0, None, 2.0)))
    assert learned == [(0.0, 90.0), (360.0, 120.0)]
    assert tested == [(0.0, 0.0), (360.0, 60.0)]


def test_numbers_that_are_not_finite_are_left_out_of_the_curve():
    [curve] = curves(history(Epoch(1.0, None), Epoch(math.inf, None), Epoch(0.5, None)))
    assert len(curve) == 2


def numbers(h):
    html = ElementTree.fromstring(f"<html>{h._repr_html_()}</html>")
    return [(text.text, float(text.attrib["x"]), float(text.attrib["y"])) for text in html.iter("text")]


def test_the_axes_have_numbers_at_the_places_that_they_name():
    h = history(*[Epoch(4.0 - k / 2, None) for k in range(6)])
    up, along = numbers(h)[:3], numbers(h)[3:6]
    assert [text for text, _, _ in up] == ["0", "2", "4"]
    assert [y - 4 for _, _, y in up] == [120.0, 60.0, 0.0]
    [curve] = curves(h)
    assert [(text, x) for text, x, _ in along] == [("1", curve[0][0]), ("3", curve[2][0]), ("6", curve[5][0])]
    assert numbers(h)[-1][0] == "epoch"


def test_two_epochs_have_two_numbers():
    assert [text for text, _, _ in numbers(history(Epoch(1.0, None), Epoch(0.5, None)))[3:]] == [
        "1",
        "2",
        "epoch",
    ]


def test_a_single_epoch_has_no_curve():
    assert curves(history(Epoch(1.0, None))) == curves(history()) == []


def test_a_loss_of_zero_throughout_is_drawn_at_the_bottom():
    [curve] = curves(history(Epoch(0.0, None), Epoch(0.0, None)))
    assert {y for _, y in curve} == {120.0}


def test_the_reason_for_the_end_is_the_last_line():
    for stopped, last in (
        ("", "epoch 1  loss 1"),
        ("epochs", "epoch 1  loss 1"),
        ("interrupted", "interrupted"),
        ("tolerance", "stopped by tolerance"),
        ("callback", "stopped by callback"),
    ):
        made = history(Epoch(1.0, None))
        made.stopped = stopped
        assert repr(made).split("\n")[-1] == last
        assert made.interrupted == (stopped == "interrupted")


def test_a_run_has_diverged_by_its_last_epoch():
    made = history(Epoch(1.0, None), Epoch(1e5, None))
    assert not made.diverged  # the initial loss is not known
    made.initial_loss = 1.0
    assert made.diverged
    made.epochs.append(Epoch(0.1, None))
    assert not made.diverged


def test_whether_a_run_has_diverged_is_found_without_going_through_its_epochs():
    class Epochs(list):
        def __iter__(self):
            raise AssertionError("fit asks after each epoch, so the time would grow with their square")

    made = History()
    made.initial_loss, made.epochs = 1.0, Epochs([Epoch(0.5, None), Epoch(101.0, None)])
    assert made.diverged
