"""Exercise 14: a_j Δ_k for every weight.

Return (-∂E/∂W, -∂E/∂b) for each layer: a_j Δ_k for the weight from j to k, and Δ_k for the bias.
Use your functions of the exercises before.
"""


def gradients(layers, x, t):
    return ...
