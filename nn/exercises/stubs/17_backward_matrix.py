"""Exercise 17: the matrix form.

Return (δs, [(∂E/∂W, ∂E/∂b), ...]), with δ = ∂E/∂z = -Δ for each layer: δ of the last layer is (a -
t) ⊙ σ'(z), δ of the others (Wᵀ δ) ⊙ σ'(z), and ∂E/∂W = δ aᵀ.
"""


def backward_matrix(layers, x, t):
    return ...
