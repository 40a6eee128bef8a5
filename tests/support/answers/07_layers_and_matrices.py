# exercise-shapes
shapes = [(7, 5), (3, 7), (7, 3), (7, 5)]


# exercise-backward_matrix
def backward_matrix(layers, x, y):
    zs, activations = [], [x]
    for W, b, (sigma, _) in layers:
        zs.append([b_k + sum(w * a for w, a in zip(row, activations[-1])) for row, b_k in zip(W, b)])
        activations.append([sigma(z) for z in zs[-1]])

    deltas = []
    back = [a - t for a, t in zip(activations[-1], y)]  # ∂L/∂a of the last layer
    for (W, _, (_, derivative)), z in zip(reversed(layers), reversed(zs)):
        deltas.insert(0, [e * derivative(z_k) for e, z_k in zip(back, z)])
        back = [sum(w * d for w, d in zip(column, deltas[0])) for column in zip(*W)]

    gradients = [
        ([[d * a for a in inputs] for d in delta], delta) for delta, inputs in zip(deltas, activations)
    ]
    return deltas, gradients


# exercise-dual_sigmoid
def dual_sigmoid(v):
    from math import exp

    a = 1 / (1 + exp(-v.value))
    return type(v)(a, a * (1 - a) * v.tangent)
