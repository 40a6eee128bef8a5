# exercise-mish
from engine import Op

mish = Op(
    "mish",
    "a * tanh(softplus(a))",
    "tanh(softplus(a)) + a * (1 - tanh(softplus(a)) ** 2) * sigmoid(a)",
    at=[-1, 0, 2],
)

# exercise-lines
lines_of_8 = 2 * 7 - 1


# exercise-program
def by_hand(parameters, inputs):
    w, b = parameters
    [x] = inputs
    z = w * x + b
    a = max(0.0, z)
    d_z = 2 * a if z > 0 else 0.0
    return a**2, [d_z * x, d_z]
