# exercise-node
class Value:
    def __init__(self, data, parents=(), local_gradients=()):
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.local = local_gradients

    def local_gradients(self):
        return self.local

    def __add__(self, other):
        other = as_value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = as_value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))


def as_value(x):
    return x if isinstance(x, Value) else Value(x)


# exercise-order
def topological_order(root):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(root)
    return order


# exercise-backward
def backward(root):
    order = topological_order(root)
    for node in order:
        if node.parents:
            node.grad = 0.0
    root.grad = 1.0
    for node in reversed(order):
        for parent, local in zip(node.parents, node.local_gradients()):
            parent.grad += node.grad * local


# exercise-zero_grad
def zero_grad(parameters):
    for p in parameters:
        p.grad = 0.0


# exercise-operators
def power(self, n):
    return Value(self.data**n, (self,), (n * self.data ** (n - 1),))


def negative(self):
    return self * -1


def subtract(self, other):
    return self + -as_value(other)


def divide(self, other):
    return self * as_value(other) ** -1


def right_add(self, other):
    return self + other


def right_multiply(self, other):
    return self * other


def right_subtract(self, other):
    return as_value(other) - self


def right_divide(self, other):
    return as_value(other) / self


# exercise-functions
def exp(self):
    y = math.exp(self.data)
    return Value(y, (self,), (y,))


def tanh(self):
    y = math.tanh(self.data)
    return Value(y, (self,), (1 - y**2,))


def relu(self):
    return Value(max(0.0, self.data), (self,), (1.0 if self.data > 0 else 0.0,))


# exercise-training_loop
def training_loop(loss, parameters, rate, steps):
    for _ in range(steps):
        zero_grad(parameters)
        loss().backward()
        for p in parameters:
            p.data -= rate * p.grad


# exercise-sigmoid
def sigmoid(self):
    y = 1 / (1 + math.exp(-self.data))
    return Value(y, (self,), (y * (1 - y),))


# exercise-deep
def order_of_any_depth(root):
    order, seen = [], set()
    waiting = [(root, False)]
    while waiting:
        node, complete = waiting.pop()
        if complete:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            waiting.append((node, True))
            for parent in node.parents:
                waiting.append((parent, False))
    return order
