"""A solution of exercise 20: train a net by your own Δ rules."""


def forward(layers, x):
    zs, activations = [], []
    a = x
    for W, b, (g, _) in layers:
        z = [b_k + sum(w * a_j for w, a_j in zip(row, a)) for row, b_k in zip(W, b)]
        a = [g(z_k) for z_k in z]
        zs.append(z)
        activations.append(a)
    return zs, activations


def output_deltas(z, a, t, activation):
    _, derivative = activation
    return [derivative(z_k) * (t_k - a_k) for z_k, a_k, t_k in zip(z, a, t)]


def hidden_deltas(z, activation, W_next, deltas_next):
    _, derivative = activation
    return [
        derivative(z_j) * sum(row[j] * delta for row, delta in zip(W_next, deltas_next))
        for j, z_j in enumerate(z)
    ]


def deltas(layers, x, t):
    zs, activations = forward(layers, x)
    found = [output_deltas(zs[-1], activations[-1], t, layers[-1][2])]
    for l in reversed(range(len(layers) - 1)):
        found.insert(0, hidden_deltas(zs[l], layers[l][2], layers[l + 1][0], found[0]))
    return found


def gradients(layers, x, t):
    inputs = [x, *forward(layers, x)[1]]
    return [
        ([[a_j * delta for a_j in a] for delta in layer], layer)
        for a, layer in zip(inputs, deltas(layers, x, t))
    ]


def update(layers, steps, rate):
    return [
        (
            [[w + rate * d for w, d in zip(row, drow)] for row, drow in zip(W, dW)],
            [b_k + rate * d for b_k, d in zip(b, db)],
            activation,
        )
        for (W, b, activation), (dW, db) in zip(layers, steps)
    ]


def train(layers, xs, ts, rate, epochs):
    for _ in range(epochs):
        for x, t in zip(xs, ts):
            layers = update(layers, gradients(layers, x, t), rate)
    return layers
