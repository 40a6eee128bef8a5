"""Exercise 19: gradient descent.

Make steps of gradient descent. loss() builds a new graph and returns its root; move each parameter
by -rate times its gradient.
"""


def training_loop(loss, parameters, rate, steps): ...
