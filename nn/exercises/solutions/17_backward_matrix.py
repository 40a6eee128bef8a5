"""A solution of exercise 17: the matrix form."""


def forward(layers, x):
    zs, activations = [], []
    a = x
    for W, b, (g, _) in layers:
        z = [b_k + sum(w * a_j for w, a_j in zip(row, a)) for row, b_k in zip(W, b)]
        a = [g(z_k) for z_k in z]
        zs.append(z)
        activations.append(a)
    return zs, activations


def backward_matrix(layers, x, t):
    zs, activations = forward(layers, x)
    found = []
    back = [a_k - t_k for a_k, t_k in zip(activations[-1], t)]
    for l in reversed(range(len(layers))):
        W, _, (_, derivative) = layers[l]
        found.insert(0, [b_k * derivative(z_k) for b_k, z_k in zip(back, zs[l])])
        back = [sum(w * d for w, d in zip(column, found[0])) for column in zip(*W)]
    inputs = [x, *activations]
    return found, [([[d * a_j for a_j in a] for d in delta], delta) for delta, a in zip(found, inputs)]
