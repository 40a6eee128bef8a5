"""Small data sets, their splits and their scales."""

import random
import subprocess
import sys
from collections import Counter
from math import hypot
from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn import data

PLANE = [data.moons, data.circles, data.spirals, data.xor]


@pytest.mark.parametrize("make", PLANE)
def test_the_classes_alternate(make):
    xs, ys = make(40, rng=random.Random(0))
    assert len(xs) == 40
    assert Counter(ys) == {0: 20, 1: 20}
    assert all(len(x) == 2 for x in xs)


@pytest.mark.parametrize("make", PLANE)
def test_the_same_generator_gives_the_same_points(make):
    assert make(30, noise=0.3, rng=random.Random(7)) == make(30, noise=0.3, rng=random.Random(7))
    assert make(30, noise=0.3, rng=random.Random(7)) != make(30, noise=0.3, rng=random.Random(8))


@pytest.mark.parametrize("make", PLANE)
def test_without_a_generator_the_module_random_is_used(make):
    random.seed(5)
    first = make(10)
    random.seed(5)
    assert make(10) == first


@pytest.mark.parametrize("make", PLANE)
def test_noise_has_the_given_standard_deviation(make):
    exact, _ = make(2000, noise=0.0)
    noisy, _ = make(2000, noise=0.25, rng=random.Random(0))
    off = [p - q for x, y in zip(noisy, exact) for p, q in zip(x, y)]
    assert pstdev(off) == pytest.approx(0.25, rel=0.05)


def test_moons_are_interleaving_half_circles():
    xs, ys = data.moons(100, noise=0.0)
    for (p, q), y in zip(xs, ys):
        centre = (1.0, 0.5) if y else (0.0, 0.0)
        assert hypot(p - centre[0], q - centre[1]) == pytest.approx(1)
        assert (q > centre[1]) == (y == 0)


def test_circles_have_radius_one_and_a_half():
    xs, ys = data.circles(100, noise=0.0)
    assert {round(hypot(*x), 9) for x, y in zip(xs, ys) if y == 0} == {1.0}
    assert {round(hypot(*x), 9) for x, y in zip(xs, ys) if y == 1} == {0.5}


def test_the_second_spiral_is_the_first_turned_by_180_degrees():
    xs, _ = data.spirals(100, noise=0.0)
    for (p, q), (r, s) in zip(xs[::2], xs[1::2]):
        assert (p, q) == pytest.approx((-r, -s))


def test_xor_without_noise_is_its_truth_table():
    xs, ys = data.xor(4, noise=0.0)
    assert all(y == (p != q) for (p, q), y in zip(xs, ys))


@pytest.mark.parametrize("make", PLANE)
@pytest.mark.parametrize("n", [0, 1, -5, 2.5, True, "10", None])
def test_a_bad_number_of_points_is_refused(make, n):
    with pytest.raises(ValueError, match="n, the number of points, is a whole number of at least"):
        make(n)


@pytest.mark.parametrize("noise", [-0.1, float("nan"), float("inf")])
def test_bad_noise_is_refused(noise):
    with pytest.raises(ValueError, match="noise is a standard deviation"):
        data.moons(10, noise=noise)


@pytest.mark.parametrize(
    ("name", "n", "features", "classes"),
    [("iris", 150, 4, 3), ("breast_cancer", 569, 30, 2), ("digits", 1797, 64, 10)],
)
def test_the_measurements_are_plain_lists(name, n, features, classes):
    pytest.importorskip("sklearn")
    xs, ys = data.table[name]()
    assert (len(xs), {len(x) for x in xs}, set(ys)) == (n, {features}, set(range(classes)))
    assert {type(p) for p in xs[0]} == {float}
    assert {type(y) for y in ys} == {int}


def test_pixels_are_numbers_from_0_to_1():
    pytest.importorskip("sklearn")
    xs, _ = data.digits()
    pixels = [p for x in xs for p in x]
    assert (min(pixels), max(pixels)) == (0.0, 1.0)


def test_without_scikit_learn_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"pip install 'chalkgrad\[data\]'"):
        data.digits()


@pytest.mark.parametrize("name", ["iris", "breast_cancer", "digits"])
def test_the_measurements_are_those_of_scikit_learn(name):
    datasets = pytest.importorskip("sklearn.datasets")
    xs, ys = getattr(datasets, f"load_{name}")(return_X_y=True)
    scale = 16 if name == "digits" else 1
    assert data.table[name]() == ([[p / scale for p in x] for x in xs.tolist()], ys.tolist())


def test_the_measurements_are_read_without_importing_scikit_learn():
    pytest.importorskip("sklearn")
    code = "import sys; from nn import data; data.digits(); data.iris(); sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def _no_file(path):
    raise FileNotFoundError(path)


def test_a_scikit_learn_with_other_files_reads_them_itself(monkeypatch):
    pytest.importorskip("sklearn.datasets")
    usual = data.iris()
    monkeypatch.setattr("pathlib.Path.read_bytes", _no_file)
    assert data.iris() == usual


@given(n=st.integers(2, 60), part=st.floats(0.01, 0.99), seed=st.integers())
def test_split_keeps_every_sample_with_its_target(n, part, seed):
    xs, ys = [[float(i)] for i in range(n)], list(range(n))
    (train_xs, train_ys), (test_xs, test_ys) = data.split(xs, ys, part, random.Random(seed))
    assert sorted(train_ys + test_ys) == ys
    assert train_xs + test_xs == [[float(y)] for y in train_ys + test_ys]
    assert len(test_ys) == min(max(round(n * part), 1), n - 1)


@pytest.mark.parametrize(
    ("xs", "ys", "part", "message"),
    [
        ([[1.0]], [1, 2], 0.5, "1 samples, 2 targets"),
        ([[1.0]], [1], 0.5, "at least two samples to split, not 1"),
        ([[1.0], [2.0]], [1, 2], 0.0, "a fraction between 0 and 1, not 0.0"),
        ([[1.0], [2.0]], [1, 2], 1.0, "a fraction between 0 and 1, not 1.0"),
        ([[1.0], [2.0]], [1, 2], float("nan"), "a fraction between 0 and 1, not nan"),
    ],
)
def test_a_bad_split_is_refused(xs, ys, part, message):
    with pytest.raises(ValueError, match=message):
        data.split(xs, ys, part)


def test_standardised_features_have_mean_zero_and_deviation_one():
    rng = random.Random(0)
    xs = [[rng.uniform(5, 9), rng.gauss(-3, 0.1)] for _ in range(50)]
    (scaled,) = data.standardise(xs)
    for column in zip(*scaled):
        assert fmean(column) == pytest.approx(0, abs=1e-12)
        assert pstdev(column) == pytest.approx(1)


def test_validation_samples_are_scaled_by_the_training_samples():
    train, validation = data.standardise([[0.0], [2.0]], [[4.0]])
    assert (train, validation) == ([[-1.0], [1.0]], [[3.0]])


def test_a_constant_feature_is_only_shifted():
    assert data.standardise([[7.0], [7.0]]) == ([[0.0], [0.0]],)


@pytest.mark.parametrize("column", [[1e308, 1e308], [1e200, -1e200], [0.0, 1e155, 1e155]])
def test_a_feature_too_large_to_have_a_deviation_is_named(column):
    with pytest.raises(
        ValueError, match="^feature 1 is too large: its mean is .*, its standard deviation inf$"
    ):
        data.standardise([[0.0, p] for p in column])


def test_scales_are_those_that_standardise_uses():
    xs = [[1.0, 5.0, -2.0], [4.0, 5.0, 0.5], [2.0, 5.0, 0.25]]
    means, deviations = data.scales(xs)
    assert deviations[1] == 1.0
    by_hand = [[(p - m) / d for p, m, d in zip(x, means, deviations)] for x in xs]
    assert data.standardise(xs) == (by_hand,)


def test_standardise_refuses_an_empty_list():
    with pytest.raises(ValueError, match="at least one sample"):
        data.standardise([])
