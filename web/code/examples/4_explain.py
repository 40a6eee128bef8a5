"""Explain one gradient."""

from engine import Value, explain, sigmoid

x = Value(0.5, label="x")
w = Value(-1.5, label="w")

a = sigmoid(w * x) + x
a.label = "a"

explain(x, a)
