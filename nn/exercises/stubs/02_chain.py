"""Exercise 2: L = (a·b + c)·f by hand.

L = (a*b + c) * f. Return the four numbers (∂L/∂a, ∂L/∂b, ∂L/∂c, ∂L/∂f) for given numbers a, b, c and
f. Work the formulas out by hand.
"""


def chain(a, b, c, f):
    return ...
