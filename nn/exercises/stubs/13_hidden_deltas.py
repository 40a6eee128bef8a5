"""Exercise 13: Δ inside.

Return Δ_j = g'(in_j) Σ_k w_jk Δ_k of each hidden neuron. W_next[k][j] is the weight from j to k.
"""


def hidden_deltas(z, activation, W_next, deltas_next):
    g, derivative = activation
    return ...
