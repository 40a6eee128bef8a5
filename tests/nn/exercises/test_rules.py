"""The checks of the textbook's rules: a right solution passes, and each slip is found and named."""

from itertools import combinations

import pytest
from support.students import BACKPROP, execute, planted

from nn import textbook
from nn.exercises import check
from nn.exercises.checker import check_topic
from nn.exercises.topics.rules import EXERCISES, Rules, topic

SLIPS = [  # the topic, the right text, the wrong one, and the name of the slip
    ("neuron", "z = b\n", "z = 0.0\n", "the bias is forgotten"),
    ("neuron", "range(len(w))", "range(1, len(w))", "the first input is skipped"),
    ("neuron", "range(len(w))", "range(len(w) - 1)", "the last input is skipped"),
    ("neuron", "tanh(weighted_sum(w, x, b))", "weighted_sum(w, x, b)", "the activation is forgotten"),
    ("neuron", "tanh(weighted_sum(w, x, b))", "tanh(tanh(weighted_sum(w, x, b)))",
     "the activation is applied twice"),
    ("layer", "z += w[j] * a[j]", "z += (w[j] + b) * a[j]", "the bias is added to each weight"),
    ("hidden_deltas", "W_next[k][j] *", "W_next[j][k] *", "W is not transposed in the backward pass"),
    ("hidden_deltas", "derivative(z[j])", "derivative(g(z[j]))", "g' at a_j in place of in_j"),
    ("layer", "weighted_sum(W[k], a, b[k]) for k in range(len(W))",
     "W[k][k % len(W[k])] * a[k % len(a)] + b[k] for k in range(len(W))",
     "elementwise instead of a matrix product"),
    ("forward", "a = [g(z_k) for z_k in z]\n", "a = z\n", "the activation is forgotten"),
    ("output_deltas", "(t[k] - a[k])", "(a[k] - t[k])", "the sign of t - a"),
    ("output_deltas", "(t[k] - a[k])", "2 * (t[k] - a[k])", "a factor of 2"),
    ("output_deltas", "(t[k] - a[k])", "(t[k] - z[k])", "in_k in place of a_k"),
    ("output_deltas", "(t[k] - a[k])", "(t[k] - a[k]) ** 2", "t - a is squared"),
    ("output_deltas", "derivative(z[k])", "derivative(a[k])", "g' at a_k in place of in_k"),
    ("output_deltas", "derivative(z[k])", "g(z[k])", "g in place of g'"),
    ("output_deltas", "derivative(z[k]) * ", "", "g' is forgotten"),
    ("hidden_deltas", "derivative(z[j]) * signal", "signal", "g' is forgotten"),
    ("hidden_deltas", "signal += W_next[k][j] * deltas_next[k]", "signal += deltas_next[k]",
     "w is left out of Σ w Δ"),
    ("hidden_deltas", "signal += W_next[k][j] * deltas_next[k]", "signal += W_next[k][j]",
     "Δ is left out of Σ w Δ"),
    ("hidden_deltas", "for k in range(len(deltas_next))", "for k in range(1)",
     "only the first neuron of the next layer"),
    ("hidden_deltas", "for k in range(len(deltas_next))", "for k in range(1, len(deltas_next))",
     "the first neuron of the next layer is skipped"),
    ("hidden_deltas", "derivative(z[j]) * signal", "derivative(z[j]) * signal / len(deltas_next)",
     "Σ w Δ is divided by the number of neurons"),
    ("deltas", "derivative(z[j]) * signal", "signal", "g' is forgotten inside"),
    ("deltas", "derivative(z[k]) * ", "", "g' is forgotten at the output"),
    ("gradients", "[x] + activations[:-1]", "[x] + zs[:-1]", "in_j in place of a_j"),
    ("gradients", "a_j * d for", "d for", "a_j is forgotten"),
    ("gradients", "1 * d for", "0 * d for", "the step of the bias is forgotten"),
    ("gradients", "1 * d for", "-d for", "the sign of the bias's step"),
    ("update", "w + rate * d", "w - rate * d", "the weights move uphill"),
    ("update", "rate * d", "d", "the learning rate is forgotten"),
    ("update", "w + rate * d for w, d in zip(row, drow)", "rate * d for d in drow",
     "each weight is replaced by its step"),
    ("update", "p + rate * d for", "p for", "the biases are not moved"),
    ("backward_matrix", "[[-d for d in delta]", "[[d for d in delta]", None),
]  # fmt: skip


@pytest.mark.parametrize("name", EXERCISES)
def test_a_right_solution_passes(name):
    assert check(name, execute(BACKPROP)[name])


@pytest.mark.parametrize("name", EXERCISES)
def test_the_rules_of_the_slips_are_right_but_for_their_slip(name):
    assert check(name, getattr(Rules(), name))


@pytest.mark.parametrize("name", [name for name in EXERCISES if hasattr(textbook, name)])
def test_the_textbook_passes(name):
    assert check(name, getattr(textbook, name))


@pytest.mark.parametrize(
    ("name", "right", "wrong", "cause"), SLIPS, ids=[f"{i}-{s[0]}" for i, s in enumerate(SLIPS)]
)
def test_a_slip_is_found_and_named(name, right, wrong, cause):
    result = check(name, planted(BACKPROP, right, wrong)[name])
    assert not result.passed
    assert result.graph.startswith("a net ")
    assert result.cause == cause or cause is None


@pytest.mark.parametrize("name", EXERCISES)
def test_each_known_slip_is_among_the_causes_that_are_named(name):
    for slip in topic(name).slips:
        result = check_topic(topic(name), slip.solution)
        assert result.passed or slip.name in result.cause.split(" or "), slip.name


def test_slips_that_no_number_tells_apart_are_named_together():
    result = check("train_step", planted(BACKPROP, "w + rate * d", "w - rate * d")["train_step"])
    assert not result
    uphill = BACKPROP.replace("p + rate * d", "p - rate * d").replace("w + rate * d", "w - rate * d")
    result = check("train_step", execute(uphill)["train_step"])
    assert result.cause == "the sign of t - a or the sign of a Δ or a step uphill"


def test_the_first_step_that_is_wrong_is_the_earliest_stage():
    wrong = planted(BACKPROP, "z = b\n", "z = 0.0\n")
    assert check("forward", wrong["forward"]).step == "in_k of neuron 0 in layer 1"
    assert check("gradients", planted(BACKPROP, "1 * d for", "0 * d for")["gradients"]).step == (
        "Δ_k, the step of the bias, of neuron 0 in layer 1"
    )


@pytest.mark.parametrize("given", [None, 3.0, "text", [], [[1.0]]])
def test_a_result_of_another_shape_is_shown_and_not_raised(given):
    for name in EXERCISES:
        assert not check(name, lambda *_: given)


@pytest.mark.parametrize(("name", "wanted"), [
    ("layer", "a list of 1 number"), ("hidden_deltas", "a list of 1 number"), ("neuron", "0.148885"),
])  # fmt: skip
def test_a_result_of_another_kind_is_shown_beside_what_is_asked_for(name, wanted):
    assert check(name, lambda *_: "text").right == wanted
    assert check(name, lambda *_: None).cause == "nothing is returned"
    assert check(name, lambda *_: ...).unwritten


def test_an_error_is_shown_beside_the_number_that_is_right():
    result = check("layer", lambda W, b, a: W[9])
    assert result.yours.startswith("IndexError")
    assert result.right == "z of neuron 0 = 0.15"


def test_arrays_are_taken_as_lists():
    numpy = pytest.importorskip("numpy")
    assert check("layer", lambda W, b, a: numpy.array(W) @ a + b)


def test_a_solution_that_changes_its_arguments_does_not_change_the_case():
    def neuron(w, x, b):
        w[0] += 1.0
        return 0.0

    first, second = check("neuron", neuron), check("neuron", neuron)
    assert first == second


def named_of(text, name="deltas"):
    """Return the causes that are named, each slip of the text being one."""
    result = check(name, execute(text)[name])
    return set() if result.passed or result.cause is None else set(result.cause.split(" or "))


def test_of_two_slips_one_is_named_and_then_the_other():
    plants = {(right, wrong) for topic, right, wrong, _ in SLIPS if topic.endswith("deltas")}
    single = {plant: named_of(BACKPROP.replace(*plant)) for plant in sorted(plants)}
    both = {"g' is forgotten"}  # at the output and inside
    unnamed = 0
    for first, second in combinations(single, 2):
        text = BACKPROP.replace(*first)
        if second[0] in text:
            causes = named_of(text.replace(*second))
            unnamed += not causes
            # one of the two is named; when it is mended, only the other is left, and is named
            assert not causes or causes & (single[first] | single[second] | both), (first, second, causes)
    assert unnamed <= 4  # pairs that change the same number
