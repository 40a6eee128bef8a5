"""A solution of exercise 9: forget the gradients."""


def zero_grad(parameters):
    for p in parameters:
        p.grad = 0.0
