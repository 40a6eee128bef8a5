"""Exercise 14: a_j Δ_k for every weight.

Return a list with one pair (-∂E/∂W, -∂E/∂b) for each layer, in the shapes of W and b: a_j Δ_k for the
weight from j to k, and Δ_k for the bias of k. The error is E = ½ Σ_k (t_k - a_k)². Layers are as in
exercise 11. Copy your functions of the exercises before into this file, and use them.
"""


def gradients(layers, x, t):
    return ...
