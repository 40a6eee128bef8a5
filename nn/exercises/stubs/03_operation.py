"""Exercise 3: an operation and its derivative.

Write f(x) = tanh(x) with math.exp (not with math.tanh), and its derivative f'(x). x is a small number.
"""


def f(x):
    return ...


def derivative(x):
    return ...
