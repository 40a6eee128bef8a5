"""Exercise 9: forget the gradients.

Set the gradient of every parameter to zero; parameters is a list of nodes with .data and .grad.
"""


def zero_grad(parameters): ...
