"""A solution of exercise 18: the initial weights."""

from math import sqrt


def initializer(rng, nin, nout):
    return rng.gauss(0, sqrt(2 / nin))
