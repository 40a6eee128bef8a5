"""Exercise 13: Δ inside.

Return the list of Δ_j = g'(in_j) Σ_k w_jk Δ_k of the neurons of a hidden layer. z is the list of their
in_j, W_next[k][j] the weight from j to neuron k of the next layer, and deltas_next the list of the Δ_k.
"""


def hidden_deltas(z, activation, W_next, deltas_next):
    g, derivative = activation
    return ...
