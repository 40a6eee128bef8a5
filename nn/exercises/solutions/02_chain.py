"""A solution of exercise 2: L = (a·b + c)·f by hand."""


def chain(a, b, c, f):
    d = a * b + c
    dL_dd = f
    return dL_dd * b, dL_dd * a, dL_dd, d
