"""Watch the backward pass, edge by edge."""

from engine import Value, play, tanh

x = Value(0.5, label="x")
w = Value(-1.5, label="w")

y = w * x
a = tanh(y) + x  # x is used twice: its gradient is a sum over two paths
y.label, a.label = "y", "a"

play(a)
