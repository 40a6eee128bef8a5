"""Exercise 4: parents before children.

Return a list of all nodes from which root was computed, and of root itself: each node once, and after
its parents. So root comes last. v.parents are the parents of a node v; a leaf has none.
"""


def topological_order(root):
    return ...
