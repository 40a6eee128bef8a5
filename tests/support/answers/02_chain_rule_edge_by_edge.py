# exercise-chain
def chain(a, b, c, f):
    d = a * b + c
    return f * b, f * a, f, d


# exercise-paths
def backward_by_paths(root):
    def follow(node, upstream):
        node.grad += upstream
        for parent, local in zip(node.parents, node.local_gradients()):
            follow(parent, upstream * local)

    follow(root, 1.0)


# exercise-closure
def cube(a):
    out = Value(a.data**3, (a,), "cube")

    def _backward():
        a.grad += 3 * a.data**2 * out.grad

    out._backward = _backward
    return out
