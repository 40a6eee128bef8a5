"""Exercise 7: numbers, - and /, powers, and sum().

Extend your Value: plain numbers on either side (a + 2, 3 * a), -a, a - b, a / b, a ** n with a number
n, and sum([a, b]).
"""

# Begin with your Value of the exercise before.


class Value:
    def __init__(self, data):
        self.data = data
        self.grad = 0.0
