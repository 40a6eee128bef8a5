"""Exercise 9: set the gradients to zero.

Set the gradient of every parameter to zero; parameters is a list of nodes with .data and .grad.
"""


def zero_grad(parameters): ...
