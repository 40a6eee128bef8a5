"""A solution of exercise 13: Δ inside."""


def hidden_deltas(z, activation, W_next, deltas_next):
    _, derivative = activation
    return [
        derivative(z_j) * sum(row[j] * delta for row, delta in zip(W_next, deltas_next))
        for j, z_j in enumerate(z)
    ]
