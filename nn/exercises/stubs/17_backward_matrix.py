"""Exercise 17: the matrix form.

Return (δs, [(∂E/∂W, ∂E/∂b), ...]): the list of δ = ∂E/∂z = -Δ of each layer, and a pair for each layer.

δ of the last layer is (a - t) ⊙ σ'(z). δ of another layer is (Wᵀ δ) ⊙ σ'(z), with W and δ of the layer
after it. ∂E/∂W = δ aᵀ, with a of the layer before it, and ∂E/∂b = δ. Layers are as in exercise 11; σ' is
derivative. NumPy is allowed.
"""


def backward_matrix(layers, x, t):
    return ...
