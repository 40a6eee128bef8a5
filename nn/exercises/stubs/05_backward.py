"""Exercise 5: the chain rule over a graph.

Compute .grad of every node under root, the derivative of root with respect to it. v.parents are the
parents, v.local_gradients() the local gradients, in the same order. At first each .grad is 0.0.

backward(root) may be called again: the gradients of the leaves then add up, and those of the other
nodes are computed anew.
"""


def backward(root): ...
