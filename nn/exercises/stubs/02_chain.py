"""Exercise 2: L = (a·b + c)·f by hand.

L = (a*b + c) * f. Return (∂L/∂a, ∂L/∂b, ∂L/∂c, ∂L/∂f), worked out by hand.
"""


def chain(a, b, c, f):
    return ...
