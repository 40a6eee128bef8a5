"""A solution of exercise 12: Δ at the output."""


def output_deltas(z, a, t, activation):
    _, derivative = activation
    return [derivative(z_k) * (t_k - a_k) for z_k, a_k, t_k in zip(z, a, t)]
