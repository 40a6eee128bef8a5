"""Draw the graph."""

from engine import Value, draw_dot, tanh

x = Value(0.5, label="x")
w = Value(-1.5, label="w")
b = Value(0.25, label="b")

a = tanh(w * x + b)
a.label = "a"
a.backward()

draw_dot(a)
