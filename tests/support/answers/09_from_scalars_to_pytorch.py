# exercise-pullback
def pullback(X, W, b, D):
    return D.T @ X, D.sum(0), D @ W


# exercise-jacobian
not_zero = 100 * 16 * 2


# exercise-update
def update(parameters, gradients, rate):
    return [(W - rate * dW, b - rate * db) for (W, b), (dW, db) in zip(parameters, gradients)]
