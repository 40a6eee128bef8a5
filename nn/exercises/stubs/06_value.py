"""Exercise 6: a Value with + and *.

Write a class of nodes with .data, .grad, + and *, and backward().
"""


class Value:
    def __init__(self, data):
        self.data = data
        self.grad = 0.0

    def __add__(self, other): ...

    def __mul__(self, other): ...

    def backward(self): ...
