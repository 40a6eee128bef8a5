"""A solution of exercise 5: the chain rule over a graph."""

from engine import topological_order


def backward(root):
    order = topological_order(root)
    for v in order:
        if v.parents:
            v.grad = 0.0
    root.grad = 1.0
    for v in reversed(order):
        for parent, local in zip(v.parents, v.local_gradients()):
            parent.grad += v.grad * local
