"""Train a small net."""

import random

from nn import MLP, SGD, data, fit

random.seed(1)
xs, ys = data.xor(200)
model = MLP(2, [8, 1], activation="tanh")

history = fit(
    model,
    xs,
    ys,
    "binary_cross_entropy",
    SGD(model.parameters(), lr=0.1, momentum=0.9),
    epochs=20,
    batch_size=10,
    backend="python",
)
print(f"accuracy {history.accuracy[-1]:.1%}")
for x in ([0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]):
    print(x, "class", int(model.predict(x) > 0))
