"""detect_anomaly names the first number that is not finite, and stale finds nodes that are out of date."""

import math
import threading

import pytest

from engine import Value, detect_anomaly, no_grad, sqrt, stale, total


def test_the_first_number_that_is_not_finite_is_named_with_formula_numbers_labels_and_line():
    x, w = Value(1e200, label="x"), Value(1e150, label="w")

    def product():
        h = x + 1
        return h * w * 0.5  # the line to name

    with detect_anomaly(), pytest.raises(FloatingPointError) as error:
        product()
    message = str(error.value)
    assert message.startswith("a * b = inf at a = 1e+200, b = 1e+150 (w)")
    assert "test_anomaly.py" in message
    assert message.endswith("return h * w * 0.5  # the line to name")


def test_a_gradient_that_is_not_finite_is_named_with_its_path_to_the_root():
    x = Value(1e-320, label="x")

    def gradient():
        y = sqrt(x)
        y.label = "y"
        z = y * 1e300
        z.label = "z"
        z.backward()

    with detect_anomaly(), pytest.raises(FloatingPointError) as error:
        gradient()
    message = str(error.value)
    assert "gradient of x is inf" in message
    assert "y: sqrt(a) = " in message
    assert message.endswith("the path to the root: y → z")


@pytest.mark.parametrize("label", ["two\nlines", "\x1b[31m"])
def test_the_message_is_one_line_for_any_label(label):
    x = Value(1e-320, label=label)
    with detect_anomaly():
        y = sqrt(x)
        z = y * 1e300
        y.label = z.label = label
        with pytest.raises(FloatingPointError) as of_the_gradient:
            z.backward()
        with pytest.raises(FloatingPointError) as of_the_number:
            x * math.inf
    for error in of_the_gradient, of_the_number:
        assert str(error.value).isprintable()
        assert repr(label) in str(error.value)
    assert str(of_the_gradient.value).count(repr(label)) >= 4  # the leaf, twice, the node, and on the path


def test_without_an_anomaly_the_gradients_are_those_of_an_ordinary_pass():
    def gradient():
        x, w = Value(0.3), Value(-2.0)
        (total([x * w, x.tanh(), w]) ** 2).backward()
        return x.grad, w.grad

    ordinary = gradient()
    with detect_anomaly():
        assert gradient() == ordinary


def test_long_sums_are_checked():
    values = [Value(1e308) for _ in range(300)]
    with detect_anomaly(), pytest.raises(FloatingPointError, match="inf"):
        total(values)


def test_after_the_block_nothing_is_checked():
    with detect_anomaly():
        pass
    assert (Value(1e200) * 1e200).data == math.inf


def test_under_no_grad_inside_the_block_nothing_is_checked():
    with detect_anomaly(), no_grad():
        assert (Value(1e200) * 1e200).data == math.inf


def test_another_thread_is_not_checked():
    seen = []
    with detect_anomaly():
        thread = threading.Thread(target=lambda: seen.append((Value(1e200) * 1e200).data))
        thread.start()
        thread.join()
    assert seen == [math.inf]


def test_an_error_within_the_block_ends_the_checks():
    with pytest.raises(ZeroDivisionError), detect_anomaly():
        Value(1.0) / 0.0
    assert (Value(1e200) * 1e200).data == math.inf


def test_stale_returns_the_nodes_whose_parents_have_changed():
    x, w = Value(2.0), Value(5.0)
    h = x * w
    y = h + w
    assert stale(y) == []
    x.data = 3.0
    assert stale(y) == [h]  # y still follows from h, as h itself did not change
    w.data = 6.0
    assert stale(y) == [h, y]


def test_a_nan_that_is_still_a_nan_is_not_stale():
    assert stale(Value(math.nan) + 1) == []
