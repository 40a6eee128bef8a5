"""Exercise 4: parents before children.

Return all nodes of the graph under root, each once, parents before children. v.parents are the
parents of a node.
"""


def topological_order(root):
    return ...
