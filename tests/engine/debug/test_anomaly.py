"""detect_anomaly names the first number that is not finite, and stale finds nodes that are out of date."""

import math
import threading

import pytest

from engine import Value, detect_anomaly, no_grad, sqrt, stale, total
from engine.compiler.guards import TracedValue, noting_decisions


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


# Blocks within blocks


def test_two_blocks_that_end_in_any_order_leave_no_check():
    def block():
        with detect_anomaly():
            yield

    x = Value(1e-320)
    y = sqrt(x) * 1e300
    a, b = block(), block()
    next(a)
    next(b)
    a.close()
    with pytest.raises(FloatingPointError):
        y.backward()
    b.close()
    y.backward()
    assert x.grad == math.inf
    assert (Value(1e200) * 1e200).data == math.inf


def test_inside_no_grad_nothing_is_recorded_but_numbers_are_checked():
    x = Value(2.0, label="x")
    with no_grad(), detect_anomaly():
        y = x * x
        with pytest.raises(FloatingPointError, match=r"a \* b = inf at a = 2\.0 \(x\), b = inf"):
            x * math.inf
    assert (y.data, y.parents, y.recorded) == (4.0, (), False)


def test_while_decisions_are_noted_nodes_stay_traced_and_no_read_is_noted():
    x = Value(2.0)
    with noting_decisions([x], []) as decisions, detect_anomaly():
        y = x * x
        assert type(y) is TracedValue
        assert y > 1.0
    assert (len(decisions.guards), decisions.reads) == (1, [])


def test_an_inner_block_names_the_line_of_the_user():
    with detect_anomaly(), detect_anomaly(), pytest.raises(FloatingPointError, match="the line inside"):
        Value(1e200) * 1e200  # the line inside


# Bounded messages


@pytest.mark.parametrize("name", ["x" * 9_999, "\n" * 9_999, "-", "", "<b>\n</b>"], ids=lambda name: name[:3])
def test_long_labels_symbols_and_lines_make_a_short_message_of_one_line(name):
    x = Value(1.0, label=name)
    y = Value(2.0, (x, x), name)
    y.label = name

    def closure():
        x.grad += math.inf

    y._backward = closure
    with detect_anomaly():
        z = y * 2
        with pytest.raises(FloatingPointError) as of_the_gradient:
            z.backward()
        exec(f"with pytest.raises(FloatingPointError) as error: x * math.inf  # {'long' * 2000}",
             globals() | {"x": x}, found := {})  # fmt: skip
    for error in of_the_gradient, found["error"]:
        assert str(error.value).isprintable()
        assert len(str(error.value)) < 1500


def test_a_long_path_to_the_root_is_shortened_in_the_middle():
    x = Value(1e-320, label="x")
    with detect_anomaly():
        y = sqrt(x) * 1e300
        for _ in range(2000):
            y = y + 0.0
        with pytest.raises(FloatingPointError, match=r"root: sqrt → \* → \+ → .* → … → .* → \+$") as error:
            y.backward()
    assert len(str(error.value)) < 1000


def test_a_sum_of_many_numbers_makes_a_short_message():
    with detect_anomaly(), pytest.raises(FloatingPointError) as error:
        total([Value(1e308, label=f"x{i}") for i in range(3000)])
    assert len(str(error.value)) < 1500
