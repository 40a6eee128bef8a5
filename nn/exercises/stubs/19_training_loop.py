"""Exercise 19: gradient descent.

Make the given number of steps of gradient descent. loss() builds a new graph from the data of the
parameters, and returns its root. In each step, move each parameter by -rate times its gradient.
"""


def training_loop(loss, parameters, rate, steps): ...
