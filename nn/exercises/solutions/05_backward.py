"""A solution of exercise 5: the chain rule over a graph."""

from engine import topological_order


def backward(root):
    root.grad = 1.0
    for v in reversed(topological_order(root)):
        for parent, local in zip(v.parents, v.local_gradients()):
            parent.grad += v.grad * local
