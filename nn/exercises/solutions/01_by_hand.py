"""A solution of exercise 1: d = a·b + c by hand."""


def by_hand(a, b, c):
    return b, a, 1.0
