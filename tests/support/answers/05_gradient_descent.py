# exercise-largest_rate
largest_rate = 2 / 5


# exercise-momentum_step
def momentum_step(w, gradient, v, rate, mu):
    v = mu * v + gradient
    return w - rate * v, v


# exercise-train
def train(loss, parameters, rate, steps):
    for _ in range(steps):
        for p in parameters:
            p.grad = 0.0
        loss().backward()
        for p in parameters:
            p.data -= rate * p.grad
