"""Exercise 5: the chain rule over a graph.

Fill .grad of every node under root. v.parents are the parents, v.local_gradients() the local
gradients, in the same order.
"""


def backward(root): ...
