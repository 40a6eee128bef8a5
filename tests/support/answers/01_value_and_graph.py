# exercise-by_hand
def by_hand(a, b, c):
    return b, a, 1.0


# exercise-arrow
answer = (3 / 5, 4 / 5)

# exercise-bell
derivative = "-2 * a * y"
