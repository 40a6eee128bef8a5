"""Exercise 12: Δ at the output.

Return Δ_k = g'(in_k) (t_k - a_k) of each output neuron.
"""


def output_deltas(z, a, t, activation):
    g, derivative = activation
    return ...
