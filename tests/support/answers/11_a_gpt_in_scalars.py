# exercise-chances
from math import exp


def chances(logits, temperature):
    largest = max(logits)
    exps = [exp((z - largest) / temperature) for z in logits]
    return [e / sum(exps) for e in exps]


# exercise-scores
scores = HEADS * sum(range(1, LONGEST + 2))

# exercise-frequency
next_tokens = [b for name in seen for b in f"{name}."]
frequency = Counter(next_tokens)


def by_frequency(a, i, b):
    return (frequency[b] + 1) / (len(next_tokens) + 27)
