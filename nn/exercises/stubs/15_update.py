"""Exercise 15: a step of gradient descent.

Return the layers after a step, with w + η a_j Δ_k and b + η Δ_k; rate is η, and steps the result of
gradients: a pair (a_j Δ_k for each weight, Δ_k for each bias) for each layer.
"""


def update(layers, steps, rate):
    return ...
