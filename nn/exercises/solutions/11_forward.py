"""A solution of exercise 11: a net, layer by layer."""


def forward(layers, x):
    zs, activations = [], []
    a = x
    for W, b, (g, _) in layers:
        z = [b_k + sum(w * a_j for w, a_j in zip(row, a)) for row, b_k in zip(W, b)]
        a = [g(z_k) for z_k in z]
        zs.append(z)
        activations.append(a)
    return zs, activations
