"""A Value and its gradient."""

from engine import Value, tanh

x = Value(0.5, label="x")
w = Value(-1.5, label="w")
b = Value(0.25, label="b")

a = tanh(w * x + b)
a.backward()

print("a =", a.data)
for leaf in x, w, b:
    print(f"∂a/∂{leaf.label} = {leaf.grad:.6f}")
