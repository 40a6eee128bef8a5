"""A solution of exercise 9: set the gradients to zero."""


def zero_grad(parameters):
    for p in parameters:
        p.grad = 0.0
