"""Exercise 16: a layer is a matrix.

Return z = W a + b as a list: z_k = b_k + Σ_j W[k][j] a_j.
"""


def layer(W, b, a):
    return ...
