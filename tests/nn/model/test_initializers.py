"""Initial weights."""

import random
from statistics import fmean, pvariance

import pytest

from nn import init

DRAWS = 20_000


def draws(name, nin, nout):
    rng = random.Random(0)
    return [init.table[name](rng, nin, nout) for _ in range(DRAWS)]


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("uniform", 1 / 3),
        ("zeros", 0),
        ("normal", 1),
        ("xavier", 2 / (8 + 24)),
        ("he", 2 / 8),
        ("lecun", 1 / 8),
    ],
)
def test_an_initializer_has_mean_zero_and_its_published_variance(name, variance):
    weights = draws(name, 8, 24)
    assert fmean(weights) == pytest.approx(0, abs=4 * (variance / DRAWS) ** 0.5)
    assert pvariance(weights) == pytest.approx(variance, rel=0.05)


@pytest.mark.parametrize(("name", "bound"), [("uniform", 1.0), ("xavier", (6 / (8 + 24)) ** 0.5)])
def test_a_uniform_initializer_stays_within_its_bounds(name, bound):
    weights = draws(name, 8, 24)
    assert max(map(abs, weights)) <= bound
    assert max(map(abs, weights)) > 0.99 * bound


@pytest.mark.parametrize("name", init.table)
def test_the_same_generator_gives_the_same_weight(name):
    assert init.find(name)(random.Random(3), 2, 3) == init.find(name)(random.Random(3), 2, 3)


def test_a_function_is_an_initializer():
    def half(rng, nin, nout):
        return 0.5

    assert init.find(half) is half


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(
        ValueError, match="unknown init 'kaiming'; there are uniform, zeros, normal, xavier, he, lecun"
    ):
        init.find("kaiming")


@pytest.mark.parametrize("which", [None, 3, 0.5])
def test_an_init_that_is_neither_a_name_nor_a_function_is_refused(which):
    with pytest.raises(TypeError, match="init is a name or a function"):
        init.find(which)


def test_the_default_generator_is_the_module_random():
    assert init.generator(None) is random


@pytest.mark.parametrize("rng", [1337, "random", random.random])
def test_a_generator_without_the_methods_of_random_is_refused(rng):
    with pytest.raises(TypeError, match=r"as random.Random\(seed\) does"):
        init.generator(rng)
