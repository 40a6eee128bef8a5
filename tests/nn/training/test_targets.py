"""Classes as targets and as outputs."""

import pytest

from nn import losses
from nn.training.targets import Classes


@pytest.mark.parametrize("loss", losses.table)
@pytest.mark.parametrize("count", [2, 3, 10])
def test_outputs_equal_to_the_target_of_a_class_predict_that_class(loss, count):
    classes = Classes(loss, count)
    for y in range(count):
        t = classes.target(y)
        outputs = [float(k == t) for k in range(count)] if loss == "cross_entropy" else t
        if outputs != 0 or classes.middle:  # a logit of 0 is undecided
            assert classes.predicted(outputs) == y
            assert classes.margin(outputs) > 0


@pytest.mark.parametrize("loss", losses.table)
@pytest.mark.parametrize("count", [2, 3])
def test_a_target_fits_the_loss_and_the_number_of_outputs(loss, count):
    classes = Classes(loss, count)
    outputs = [0.25] * classes.outputs if classes.outputs > 1 else 0.25
    for y in range(count):
        assert losses.table[loss](outputs, classes.target(y)) > 0


@pytest.mark.parametrize("loss", losses.table)
def test_two_classes_need_one_output_except_for_cross_entropy(loss):
    assert Classes(loss, 2).outputs == (2 if loss == "cross_entropy" else 1)
    assert Classes(loss, 5).outputs == 5


@pytest.mark.parametrize(
    ("loss", "middle"), [("hinge", 0.0), ("binary_cross_entropy", 0.0), ("half_squared_error", 0.5)]
)
def test_the_threshold_of_a_single_output_is_half_way_between_the_targets(loss, middle):
    classes = Classes(loss, 2)
    assert (classes.predicted(middle - 0.1), classes.predicted(middle + 0.1)) == (0, 1)
    assert (classes.difference(middle - 0.1), classes.difference(middle + 0.1)) == pytest.approx((-0.1, 0.1))


def test_the_margin_is_the_distance_to_the_second_output():
    assert Classes("cross_entropy", 4).margin([0.0, 5.0, 4.5, -3.0]) == 0.5
    assert Classes("hinge", 2).margin(-0.75) == 0.75


def test_the_difference_is_the_second_output_minus_the_first():
    assert Classes("cross_entropy", 2).difference([1.0, 3.0]) == 2.0
