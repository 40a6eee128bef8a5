# exercise-chances
from math import exp


def chances(logits, temperature):
    largest = max(logits)
    exps = [exp((z - largest) / temperature) for z in logits]
    return [e / sum(exps) for e in exps]


# exercise-scores
scores = 4 * (1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9)

# exercise-frequency
next_tokens = "".join(f"{name}." for name in seen)


def by_frequency(a, i, b):
    return (next_tokens.count(b) + 1) / (len(next_tokens) + 27)
