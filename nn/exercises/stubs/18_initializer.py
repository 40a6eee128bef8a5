"""Exercise 18: the initial weights.

Return one weight, a random number with mean 0 and variance 2 / nin. nin is the number of inputs of the
neuron, nout the number of neurons of its layer. Draw from rng, which is a random.Random.
"""


def initializer(rng, nin, nout):
    return ...
