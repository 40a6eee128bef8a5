"""Exercise 6: a Value with + and *.

Write a class of nodes with .data, .grad, + and *, and backward(), which computes .grad of every node
under the node that it is called on.

backward() may be called again: the gradients of the leaves then add up, and those of the other nodes
are computed anew.
"""


class Value:
    def __init__(self, data):
        self.data = data
        self.grad = 0.0

    def __add__(self, other): ...

    def __mul__(self, other): ...

    def backward(self): ...
