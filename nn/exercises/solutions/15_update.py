"""A solution of exercise 15: a step of gradient descent."""


def update(layers, steps, rate):
    return [
        (
            [[w + rate * d for w, d in zip(row, drow)] for row, drow in zip(W, dW)],
            [b_k + rate * d for b_k, d in zip(b, db)],
            activation,
        )
        for (W, b, activation), (dW, db) in zip(layers, steps)
    ]
