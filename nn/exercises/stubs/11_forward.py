"""Exercise 11: a net, layer by layer.

Return (zs, activations): for each layer the list of its in_k, and the list of its a_k = g(in_k). A
layer is (W, b, (g, derivative)), and W[k][j] is the weight from j to k.
"""


def forward(layers, x):
    return ...
