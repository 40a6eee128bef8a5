# exercise-most
most = 0.25**20


# exercise-my_init
def my_init(rng, nin, nout):
    r = (6 / nin) ** 0.5
    return rng.uniform(-r, r)


# exercise-dead_by_gradient
def dead_by_gradient(gradients):
    return [k for k in range(len(gradients[0])) if all(row[k] == 0 for row in gradients)]
