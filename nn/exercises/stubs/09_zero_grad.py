"""Exercise 9: forget the gradients.

Set the gradient of every parameter to zero.
"""


def zero_grad(parameters): ...
