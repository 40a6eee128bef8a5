"""Exercise 12: Δ at the output.

Return the list of Δ_k = g'(in_k) (t_k - a_k) of the output neurons. z, a and t are the lists of in_k, a_k
and the targets t_k.
"""


def output_deltas(z, a, t, activation):
    g, derivative = activation
    return ...
