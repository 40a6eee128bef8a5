"""Exercise 11: a net, layer by layer.

Return (zs, activations), two lists with one list for each layer: zs has its in_k = b_k + Σ_j w_jk a_j,
activations its a_k = g(in_k). For the first layer, the a_j are the inputs x.

A net is a list of layers. A layer is (W, b, (g, derivative)): W[k][j] is the weight from j to k, b[k] the
bias of k, g the activation and derivative its derivative, both functions of one number.
"""


def forward(layers, x):
    return ...
