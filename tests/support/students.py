"""Right solutions of students in several styles, as text, so that a test can plant a slip in them."""

CLOSURES = """
import math

class Value:
    def __init__(self, data, children=()):
        self.data = data
        self.grad = 0.0
        self._backward = lambda: None
        self._prev = children

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))
        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))
        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = _backward
        return out

    def __pow__(self, n):
        out = Value(self.data ** n, (self,))
        def _backward():
            self.grad += n * self.data ** (n - 1) * out.grad
        out._backward = _backward
        return out

    def exp(self):
        out = Value(math.exp(self.data), (self,))
        def _backward():
            self.grad += out.data * out.grad
        out._backward = _backward
        return out

    def tanh(self):
        t = math.tanh(self.data)
        out = Value(t, (self,))
        def _backward():
            self.grad += (1 - t ** 2) * out.grad
        out._backward = _backward
        return out

    def relu(self):
        out = Value(max(0.0, self.data), (self,))
        def _backward():
            self.grad += (out.data > 0) * out.grad
        out._backward = _backward
        return out

    def backward(self):
        topo, visited = [], set()
        def build(v):
            if v not in visited:
                visited.add(v)
                for child in v._prev:
                    build(child)
                topo.append(v)
        build(self)
        for v in topo:
            if v._prev:
                v.grad = 0.0
        self.grad = 1.0
        for v in reversed(topo):
            v._backward()

    def __neg__(self):
        return self * -1

    def __radd__(self, other):
        return self + other

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return (-self) + other

    def __rmul__(self, other):
        return self * other

    def __truediv__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return self * other ** -1

    def __rtruediv__(self, other):
        return self ** -1 * other
"""

TUPLES = """
from math import exp, log, tanh

class Value:
    def __init__(self, data, parents=(), local=()):
        self.data, self.grad, self.parents, self.local = float(data), 0.0, parents, local

    @staticmethod
    def of(x):
        return x if isinstance(x, Value) else Value(x)

    def __add__(self, other):
        other = Value.of(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __sub__(self, other):
        other = Value.of(other)
        return Value(self.data - other.data, (self, other), (1.0, -1.0))

    def __mul__(self, other):
        other = Value.of(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __truediv__(self, other):
        other = Value.of(other)
        y = self.data / other.data
        return Value(y, (self, other), (1 / other.data, -y / other.data))

    def __pow__(self, n):
        return Value(self.data ** n, (self,), (n * self.data ** (n - 1),))

    def __neg__(self):
        return Value(-self.data, (self,), (-1.0,))

    def __rsub__(self, other):
        return Value.of(other) - self

    def __rtruediv__(self, other):
        return Value.of(other) / self

    __radd__ = __add__
    __rmul__ = __mul__

    def exp(self):
        y = exp(self.data)
        return Value(y, (self,), (y,))

    def log(self):
        return Value(log(self.data), (self,), (1 / self.data,))

    def tanh(self):
        y = tanh(self.data)
        return Value(y, (self,), (1 - y * y,))

    def sigmoid(self):
        y = 1 / (1 + exp(-self.data))
        return Value(y, (self,), (y * (1 - y),))

    def relu(self):
        return Value(self.data if self.data > 0 else 0.0, (self,), (1.0 if self.data > 0 else 0.0,))

    def backward(self):
        waiting, todo = {}, [self]
        while todo:  # count the children of each node
            v = todo.pop()
            v.grad = 0.0 if v.parents else v.grad
            for parent in v.parents:
                if parent not in waiting:
                    waiting[parent] = 0
                    todo.append(parent)
                waiting[parent] += 1
        self.grad = 1.0
        ready = [self]
        while ready:
            v = ready.pop()
            for parent, local in zip(v.parents, v.local):
                parent.grad += v.grad * local
                waiting[parent] -= 1
                if not waiting[parent]:
                    ready.append(parent)
"""

TAPE = """
import math

TAPE = []

class Number:
    def __init__(self, value):
        self.value, self.slope = value, 0

    def __add__(self, other):
        return record(self, other, lambda a, b: a + b, lambda a, b, y: (1, 1))

    def __mul__(self, other):
        return record(self, other, lambda a, b: a * b, lambda a, b, y: (b, a))

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def tanh(self):
        y = Number(math.tanh(self.value))
        TAPE.append((y, [self], [1 - y.value * y.value]))
        return y

def record(a, b, f, partials):
    b = b if isinstance(b, Number) else Number(b)
    y = Number(f(a.value, b.value))
    TAPE.append((y, [a, b], partials(a.value, b.value, y.value)))
    return y

def differentiate(y):
    y.slope = 1
    for result, arguments, partials in reversed(TAPE):
        for argument, partial in zip(arguments, partials):
            argument.slope += result.slope * partial
    TAPE.clear()
"""

BACKPROP = """
from math import tanh

def weighted_sum(w, a, b):
    z = b
    for j in range(len(w)):
        z += w[j] * a[j]
    return z

def neuron(w, x, b):
    return tanh(weighted_sum(w, x, b))

def layer(W, b, a):
    return [weighted_sum(W[k], a, b[k]) for k in range(len(W))]

def forward(layers, x):
    zs, activations = [], []
    a = x
    for W, b, (g, derivative) in layers:
        z = layer(W, b, a)
        a = [g(z_k) for z_k in z]
        zs.append(z)
        activations.append(a)
    return zs, activations

def output_deltas(z, a, t, activation):
    g, derivative = activation
    return [derivative(z[k]) * (t[k] - a[k]) for k in range(len(z))]

def hidden_deltas(z, activation, W_next, deltas_next):
    g, derivative = activation
    found = []
    for j in range(len(z)):
        signal = 0.0
        for k in range(len(deltas_next)):
            signal += W_next[k][j] * deltas_next[k]
        found.append(derivative(z[j]) * signal)
    return found

def deltas(layers, x, t):
    zs, activations = forward(layers, x)
    result = [output_deltas(zs[-1], activations[-1], t, layers[-1][2])]
    for l in range(len(layers) - 2, -1, -1):
        result = [hidden_deltas(zs[l], layers[l][2], layers[l + 1][0], result[0])] + result
    return result

def gradients(layers, x, t):
    zs, activations = forward(layers, x)
    inputs = [x] + activations[:-1]
    result = []
    for a, delta in zip(inputs, deltas(layers, x, t)):
        result.append(([[a_j * d for a_j in a] for d in delta], [1 * d for d in delta]))
    return result

def update(layers, steps, rate):
    new = []
    for (W, b, activation), (dW, db) in zip(layers, steps):
        W = [[w + rate * d for w, d in zip(row, drow)] for row, drow in zip(W, dW)]
        b = [p + rate * d for p, d in zip(b, db)]
        new.append((W, b, activation))
    return new

def train_step(layers, x, t, rate):
    return update(layers, gradients(layers, x, t), rate)

def backward_matrix(layers, x, t):
    ds = [[-d for d in delta] for delta in deltas(layers, x, t)]
    steps = [([[-d for d in row] for row in dW], [-d for d in db]) for dW, db in gradients(layers, x, t)]
    return ds, steps
"""


def execute(text: str) -> dict:
    """Return what the text defines. Its lines can be read in tracebacks."""
    import linecache

    name = f"<student {hash(text)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    space: dict = {}
    exec(compile(text, name, "exec"), space)
    return space


def planted(text: str, right: str, wrong: str) -> dict:
    """Return what the text defines once a slip is planted in it."""
    assert text.count(right) >= 1, right
    return execute(text.replace(right, wrong))
