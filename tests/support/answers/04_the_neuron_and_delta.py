# exercise-pencil
answers = {
    "in1_0": 1.25,
    "a1_0": 1.25,
    "in2_0": 1.5,
    "a2_0": 1.5,
    "E": 1.125,
    "Δ2_0": -1.5,
    "Δ1_0": -3,
    "-∂E/∂w1_0_0": 1.5,
    "-∂E/∂b1_0": -3,
    "-∂E/∂w2_0_0": -1.875,
    "-∂E/∂b2_0": -1.5,
    "new w1_0_0": 0.25,
    "new b1_0": -0.5,
    "new w2_0_0": 1.0625,
    "new b2_0": -1.75,
}


# exercise-hidden_deltas
def hidden_deltas(z, activation, W_next, deltas_next):
    _, derivative = activation
    deltas = []
    for j, z_j in enumerate(z):
        signal = sum(W_next[k][j] * delta for k, delta in enumerate(deltas_next))
        deltas.append(derivative(z_j) * signal)
    return deltas


# exercise-train_step
def train_step(layers, x, t, rate):
    zs, activations = [], [x]
    for W, b, (g, _) in layers:
        z = [b_k + sum(w * a for w, a in zip(row, activations[-1])) for row, b_k in zip(W, b)]
        zs.append(z)
        activations.append([g(z_k) for z_k in z])

    _, _, (_, derivative) = layers[-1]
    deltas = [[derivative(z) * (t_k - a) for z, a, t_k in zip(zs[-1], activations[-1], t)]]
    for l in reversed(range(len(layers) - 1)):
        deltas.insert(0, hidden_deltas(zs[l], layers[l][2], layers[l + 1][0], deltas[0]))

    return [
        (
            [[w + rate * a * d for w, a in zip(row, inputs)] for row, d in zip(W, delta)],
            [b_k + rate * d for b_k, d in zip(b, delta)],
            activation,
        )
        for (W, b, activation), inputs, delta in zip(layers, activations, deltas)
    ]
