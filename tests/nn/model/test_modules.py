"""Neuron, Layer and MLP: two nodes for each neuron, micrograd's weights, predictions with the same bits."""

import copy
import inspect
import pickle
import random
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import Value, exp, grad, no_grad, ops, topological_order
from nn import MLP, Layer, Module, Neuron

SMOOTH = ["relu", "tanh", "sigmoid", "leaky_relu", "softplus", "gelu", "sin", None]


def nodes(root):
    return [node for node in topological_order(root) if node.parents]


# Micrograd's ways


def test_the_weights_are_drawn_as_micrograd_draws_them():
    random.seed(1337)
    expected = []
    for n, m in ((2, 16), (16, 16), (16, 1)):
        for _ in range(m):
            expected += [*(random.uniform(-1, 1) for _ in range(n)), 0.0]
    random.seed(1337)
    assert [p.data for p in MLP(2, [16, 16, 1]).parameters()] == expected


def test_the_net_of_micrograds_demo_has_337_parameters():
    assert len(MLP(2, [16, 16, 1]).parameters()) == 337


def test_a_generator_draws_the_numbers_of_the_seeded_module():
    random.seed(7)
    ours = MLP(3, [4, 2])
    assert [p.data for p in MLP(3, [4, 2], rng=random.Random(7)).parameters()] == [
        p.data for p in ours.parameters()
    ]


def test_one_output_is_a_value_and_several_are_a_list():
    assert isinstance(MLP(2, [3, 1])([1.0, 2.0]), Value)
    assert isinstance(Layer(2, 1)([1.0, 2.0]), Value)
    out = MLP(2, [3, 2])([1.0, 2.0])
    assert isinstance(out, list)
    assert len(out) == 2
    assert len(Layer(2, 3)([1.0, 2.0])) == 3


def test_a_hidden_layer_may_have_one_neuron():
    assert isinstance(MLP(2, [1, 1, 1])([1.0, 2.0]), Value)


def test_a_step_by_hand_works_as_in_micrograd():
    model = MLP(2, [4, 1], rng=random.Random(0))
    before = (model([1.0, -1.0]) - 3.0) ** 2
    model.zero_grad()
    before.backward()
    for p in model.parameters():
        p.data -= 0.01 * p.grad
    assert ((model([1.0, -1.0]) - 3.0) ** 2).data < before.data


def test_zero_grad_sets_every_gradient_to_zero():
    model = MLP(2, [3, 1], activation="tanh")
    model([1.0, 1.0]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert [p.grad for p in model.parameters()] == [0.0] * len(model.parameters())


# The graph


def test_a_neuron_is_two_nodes():
    a = Neuron(3, activation="tanh")([1.0, 2.0, 3.0])
    z, same = nodes(a)
    assert same is a
    assert (z.label, a.label) == ("z", "a")
    assert z.op is ops.weighted_sum
    assert a.op is ops.tanh
    assert a.parents == (z,)


def test_the_parents_of_z_are_weights_inputs_and_bias():
    neuron = Neuron(2)
    z = neuron.preactivation([5.0, 6.0])
    assert [p.label for p in z.parents] == ["w0", "w1", "x0", "x1", "b"]
    assert z.parents[:2] == tuple(neuron.w)
    assert z.parents[-1] is neuron.b


def test_without_an_activation_a_is_z():
    neuron = Neuron(2, activation=None)
    z = neuron.preactivation([1.0, 2.0])
    assert neuron.activate(z) is z
    assert neuron([1.0, 2.0]).label == "z"


def test_a_neuron_applies_its_activation_to_its_preactivation():
    neuron = Neuron(2, activation="sigmoid", rng=random.Random(0))
    assert neuron.activate(neuron.preactivation([1.0, 2.0])).data == neuron([1.0, 2.0]).data


def test_labels_name_layer_neuron_and_input():
    model = MLP(2, [3, 1])
    assert [p.label for p in model.layers[0].neurons[2].parameters()] == ["w1_0_2", "w1_1_2", "b1_2"]
    labels = {node.label for node in topological_order(model([1.0, 2.0]))}
    assert {"x0", "x1", "w1_0_0", "b1_0", "z1_0", "a1_0", "z1_2", "a1_2", "w2_2_0", "b2_0", "z2_0"} <= labels
    assert "a2_0" not in labels


def test_plain_inputs_become_constants_once_per_call():
    y = MLP(2, [8, 8, 1])([1.0, 2.0])
    assert [node.label for node in topological_order(y) if node.constant] == ["x0", "x1"]


def test_inputs_that_are_values_get_gradients():
    x = [Value(0.5, label="left"), Value(-0.5, label="right")]
    MLP(2, [4, 1], activation="tanh", rng=random.Random(1))(x).backward()
    assert all(v.grad for v in x)
    assert [v.label for v in x] == ["left", "right"]


@pytest.mark.parametrize(("sizes", "expected"), [([16, 16, 1], 2 * 16 + 2 * 16 + 1), ([5, 3], 2 * 5 + 3)])
def test_a_neuron_makes_two_nodes_and_a_linear_one_makes_one(sizes, expected):
    out = MLP(2, sizes)([1.0, 2.0])
    found = {node for root in (out if isinstance(out, list) else [out]) for node in nodes(root)}
    assert len(found) == expected


def test_an_atomic_neuron_consists_of_single_products_and_sums():
    z = Neuron(3, activation=None, atomic=True)([1.0, 2.0, 3.0])
    assert [node.op.symbol for node in nodes(z)] == ["*", "+"] * 3
    assert z.label == "z"


@given(seed=st.integers(0, 10**6), sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_atomic_neurons_give_the_same_bits(seed, sizes):
    whole, atomic = (
        MLP(3, sizes, activation="tanh", atomic=kind, rng=random.Random(seed)) for kind in (False, True)
    )
    x = [0.1, -2.0, 0.7]
    for model in (whole, atomic):
        total = model(x) if sizes[-1] == 1 else sum(model(x))
        total.backward()
    assert whole.predict(x) == atomic.predict(x)
    for p, q in zip(whole.parameters(), atomic.parameters()):
        assert p.grad == pytest.approx(q.grad, rel=1e-13, abs=1e-300)


# Prediction in floats


@given(
    seed=st.integers(0, 10**6),
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    activation=st.sampled_from(SMOOTH),
    init=st.sampled_from(["uniform", "normal", "he"]),
)
def test_a_prediction_has_the_bits_of_the_recorded_pass(seed, sizes, activation, init):
    rng = random.Random(seed)
    model = MLP(2, sizes, activation=activation, output=activation, init=init, rng=rng)
    x = [rng.gauss(0, 2), rng.gauss(0, 2)]
    out = model(x)
    assert model.predict(x) == ([v.data for v in out] if isinstance(out, list) else out.data)


def test_layers_and_neurons_predict():
    layer = Layer(2, 3, activation="tanh", rng=random.Random(0))
    assert layer.predict([1.0, 2.0]) == [v.data for v in layer([1.0, 2.0])]
    assert layer.neurons[1].predict([1.0, 2.0]) == layer.predict([1.0, 2.0])[1]
    assert isinstance(Layer(2, 1).predict([1.0, 2.0]), float)


def test_a_module_of_the_user_predicts_by_its_call():
    class Line(Module):
        def __init__(self):
            self.slope = Value(2.0)

        def parameters(self):
            return [self.slope]

        def __call__(self, x):
            return self.slope * x[0]

    assert Line().predict([3.0]) == 6.0

    class Twice(Line):
        def __call__(self, x):
            return [self.slope * x[0], self.slope + x[0]]

    assert Twice().predict([3.0]) == [6.0, 5.0]


def test_a_module_without_call_raises_an_error():
    with pytest.raises(NotImplementedError, match="Silent does not say what it computes: define __call__"):
        type("Silent", (Module,), {})()([1.0])


def test_a_module_has_no_parameters_by_default():
    assert Module().parameters() == []


def test_under_no_grad_a_model_records_nothing():
    with no_grad():
        assert MLP(2, [3, 1])([1.0, 2.0]).parents == ()


# Activations


def test_the_last_layer_has_an_activation_of_its_own():
    model = MLP(2, [3, 2], activation="tanh", output="sigmoid")
    assert {n.activation for n in model.layers[0].neurons} == {ops.tanh}
    assert {n.activation for n in model.layers[1].neurons} == {ops.sigmoid}


@pytest.mark.parametrize(
    "build", [lambda g: Neuron(2, g), lambda g: Layer(2, 2, g), lambda g: MLP(2, [2], g)]
)
def test_an_unknown_activation_is_refused(build):
    with pytest.raises(ValueError, match="unknown activation 'swoosh'"):
        build("swoosh")


# Bad input


@pytest.mark.parametrize("model", [Neuron(3), Layer(3, 2), MLP(3, [2, 1]), Neuron(3, atomic=True)])
@pytest.mark.parametrize("use", [lambda m, x: m(x), lambda m, x: m.predict(x)])
def test_a_sample_of_another_length_is_refused(model, use):
    with pytest.raises(ValueError, match="expected 3 inputs, got 2"):
        use(model, [1.0, 2.0])
    with pytest.raises(TypeError, match="a sample is a list of 3 numbers, not float"):
        use(model, 1.0)


@pytest.mark.parametrize("n", [0, -2, 1.5, "3", None, True])
def test_sizes_are_whole_numbers_of_at_least_one(n):
    with pytest.raises(ValueError, match="a whole number of at least 1"):
        Neuron(n)
    with pytest.raises(ValueError, match="a whole number of at least 1"):
        Layer(2, n)
    with pytest.raises(ValueError, match="a whole number of at least 1"):
        MLP(n, [2])
    with pytest.raises(ValueError, match="a layer's size is a whole number of at least 1"):
        MLP(2, [3, n])


@pytest.mark.parametrize("nouts", [3, None, "16", b"16"])
def test_the_layers_are_a_list(nouts):
    with pytest.raises(TypeError, match=r"nouts is a list of the layers' sizes, such as \[16, 16, 1\]"):
        MLP(2, nouts)


def test_there_is_at_least_one_layer():
    with pytest.raises(ValueError, match="at least one layer"):
        MLP(2, [])


def test_a_seed_instead_of_a_generator_is_refused():
    with pytest.raises(TypeError, match="random numbers"):
        MLP(2, [1], rng=1337)


def test_an_unknown_init_is_refused():
    with pytest.raises(ValueError, match="unknown init 'ones'"):
        MLP(2, [1], init="ones")


# Initial values


def test_biases_start_at_zero_and_weights_at_their_initial_values():
    model = MLP(2, [3, 2], init=lambda rng, nin, nout: 10.0 * nin + nout)
    assert [n.b.data for layer in model.layers for n in layer.neurons] == [0.0] * 5
    assert {w.data for n in model.layers[0].neurons for w in n.w} == {23.0}
    assert {w.data for n in model.layers[1].neurons for w in n.w} == {32.0}
    assert Neuron(4, init=lambda rng, nin, nout: float(nout)).w[0].data == 1.0


# Copies


@pytest.mark.parametrize("again", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_is_equal_and_independent(again):
    model = MLP(2, [4, 1], activation="gelu", rng=random.Random(0))
    twin = again(model)
    assert twin.predict([0.3, -0.2]) == model.predict([0.3, -0.2])
    twin([0.3, -0.2]).backward()
    assert any(p.grad for p in twin.parameters())
    assert not any(p.grad for p in model.parameters())
    assert [p.label for p in twin.parameters()] == [p.label for p in model.parameters()]


def test_repr_shows_the_sizes_and_activations():
    assert repr(MLP(2, [16, 16, 1])) == "MLP(2, [16, 16, 1], activation='relu', output=None)"
    assert repr(Layer(2, 3, "tanh")) == "Layer(2, 3, activation='tanh')"
    assert repr(Neuron(2, None)) == "Neuron(2, activation=None)"


# micrograd's flag


def test_without_nonlin_a_neuron_gives_micrograds_number():
    random.seed(1337)
    n = Neuron(2)
    n.nonlin = False
    random.seed(1337)
    w = [random.uniform(-1, 1) for _ in range(2)]
    assert n([1.0, -5.0]).data == w[0] * 1.0 + w[1] * -5.0
    assert n.predict([1.0, -5.0]) == n([1.0, -5.0]).data
    assert n([1.0, -5.0]).data == Neuron.__call__(n, [1.0, -5.0]).data != 0.0


@pytest.mark.parametrize(
    "build",
    [
        lambda: Neuron(2, nonlin=False),
        lambda: Neuron(2, None, nonlin=False),
        lambda: Neuron(2, activation=None, nonlin=0),
        lambda: Layer(2, 3, nonlin=False),
        lambda: Layer(2, 3, None, nonlin=False),
    ],
)
def test_nonlin_false_means_no_activation(build):
    neurons = getattr(build(), "neurons", None) or [build()]
    assert [(n.activation, n.nonlin) for n in neurons] == [(None, False)] * len(neurons)


@pytest.mark.parametrize("make", [Neuron, lambda nin, *args, **options: Layer(nin, 1, *args, **options)])
def test_a_contradictory_pair_is_refused(make):
    for activation, nonlin in (("relu", False), ("tanh", False), (None, True)):
        with pytest.raises(ValueError, match=f"activation={activation!r} and nonlin={nonlin} contradict"):
            make(2, activation, nonlin=nonlin)
    for bad in ("False", 2, 0.5, [True]):
        with pytest.raises(TypeError, match="nonlin is True or False, not"):
            make(2, nonlin=bad)
    assert "tanh" in repr(make(2, "tanh", nonlin=True))
    assert "relu" in repr(make(2, nonlin=True))


def test_a_bare_flag_names_the_argument_for_it():
    with pytest.raises(TypeError, match="not False; micrograd's flag is written nonlin=False"):
        Neuron(2, False)


def test_nonlin_restores_the_activation_that_the_neuron_had():
    neuron = Neuron(2, "tanh")
    assert neuron.nonlin
    neuron.nonlin = False
    assert (neuron.nonlin, neuron.activation) == (False, None)
    neuron.nonlin = True
    assert neuron.activation is ops.tanh
    linear = Neuron(2, None)
    linear.nonlin = True
    assert linear.activation is ops.relu
    with pytest.raises(TypeError, match="nonlin is True or False, not str: 'no'"):
        linear.nonlin = "no"
    assert linear.nonlin


def test_the_activation_can_be_set_to_a_name_an_op_or_none():
    neuron = Neuron(1, None, init="zeros")
    neuron.b.data = 0.5
    for activation, op in (("tanh", ops.tanh), (ops.sin, ops.sin), (None, None)):
        neuron.activation = activation
        assert neuron.activation is op
        assert neuron([1.0]).data == neuron.predict([1.0]) == (op(0.5) if op else 0.5)
    with pytest.raises(ValueError, match=r"unknown activation 'tanhh' \(did you mean tanh\?\)"):
        neuron.activation = "tanhh"


@pytest.mark.parametrize("again", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_has_the_flag_and_what_it_restores(again):
    neuron = Neuron(2, "tanh")
    neuron.nonlin = False
    twin = again(neuron)
    assert not twin.nonlin
    twin.nonlin = True
    assert twin.activation is ops.tanh


def test_the_signature_shows_the_default():
    assert inspect.signature(Neuron).parameters["activation"].default == "relu"
    assert "activation: 'Activation' = 'relu'" in str(inspect.signature(Layer))


# A prediction is the number of the call


class Force(Module):
    """-dE/dx of a net E: it differentiates when it is called."""

    def __init__(self):
        self.net = MLP(1, [4, 1], "tanh", rng=random.Random(3))

    def parameters(self):
        return self.net.parameters()

    def __call__(self, x):
        x0 = x[0] if isinstance(x[0], Value) else Value(x[0])
        return -grad(self.net([x0]), [x0], create_graph=True)[0]


def test_a_model_that_differentiates_predicts_the_number_of_the_call():
    model = Force()
    assert model.predict([0.7]) == model([0.7]).data != 0.0


def test_a_net_whose_call_is_overridden_predicts_the_number_of_the_call():
    class Positive(MLP):
        def __call__(self, x):
            return exp(super().__call__(x))

    class Doubled(Layer):
        def activations(self, x):
            return [2 * a for a in super().activations(x)]

    class Shifted(Layer):
        def __call__(self, x):
            return [a + 1 for a in super().__call__(x)]

    class Cubed(Neuron):
        def activate(self, z):
            return z**3

    class Mixin:
        def preactivation(self, x):
            return super().preactivation(x) * 10

    class Large(Mixin, Neuron):
        pass

    x, rng = [0.4, -0.9], random.Random(0)
    model = MLP(2, [3, 2], rng=rng)
    model.layers[0] = Doubled(2, 3, rng=rng)
    model.layers[1].neurons[0] = Cubed(3, rng=rng)
    for m in (Positive(2, [3, 1], rng=rng), Doubled(2, 3), Shifted(2, 3), Cubed(2), Large(2), model):
        found = m(x)
        assert m.predict(x) == ([v.data for v in found] if isinstance(found, list) else found.data)


def test_a_net_still_predicts_without_a_graph(monkeypatch):
    model = MLP(2, [3, 1])
    monkeypatch.setattr(Module, "predict", None)  # it records the graph
    assert isinstance(model.predict([1.0, 2.0]), float)


# A subclass of one's own that builds its parts itself, without super().__init__


class OwnNeuron(Neuron):
    def __init__(self, nin, nonlin=True):
        self.w = [Value(0.5) for _ in range(nin)]
        self.b = Value(-0.25)
        self.nonlin = nonlin


class TanhNeuron(OwnNeuron):
    def __call__(self, x):
        return sum((w * x_i for w, x_i in zip(self.w, x)), self.b).tanh()


class OwnLayer(Layer):
    def __init__(self, nin, nout, kind=OwnNeuron, **options):
        self.neurons = [kind(nin, **options) for _ in range(nout)]


class OwnMLP(MLP):
    def __init__(self, nin, nouts, layer=OwnLayer):
        pairs = zip([nin, *nouts], nouts)
        self.layers = [layer(n, m, nonlin=k < len(nouts) - 1) for k, (n, m) in enumerate(pairs)]


class FreeLayer(Module):
    """A layer that shares nothing with `Layer`."""

    def __init__(self, nin, nout, nonlin=True):
        self.inner = OwnLayer(nin, nout, nonlin=nonlin)

    def parameters(self):
        return self.inner.parameters()

    def __call__(self, x):
        return self.inner(x)


BUILT = {
    "one output": lambda: OwnMLP(2, [3, 1]),
    "two outputs": lambda: OwnMLP(2, [3, 2]),
    "a layer of another class": lambda: OwnMLP(2, [3, 1], FreeLayer),
    "layers of nn": lambda: OwnMLP(2, [3, 1], lambda n, m, nonlin: Layer(n, m, nonlin=nonlin)),
    "neurons that override the call": lambda: OwnMLP(2, [2, 1], partial(OwnLayer, kind=TanhNeuron)),
}  # fmt: skip


@pytest.mark.parametrize("build", BUILT.values(), ids=BUILT)
def test_a_net_that_sets_its_layers_itself_computes_predicts_and_learns(build):
    model, x = build(), [1.0, 0.5]
    y = model(x)
    outputs = y if isinstance(y, list) else [y]
    assert model.predict(x) == ([v.data for v in y] if isinstance(y, list) else y.data)
    assert model.predict_many([x, [0.5, 2.0]], backend="python")[0] == model.predict(x)
    sum(outputs).backward()
    assert any(p.grad for p in model.parameters())
    assert repr(model).startswith("OwnMLP of [")


def test_a_net_that_sets_its_layers_itself_gives_micrograds_number():
    hidden = 0.5 * 1.0 + 0.5 * 0.5 - 0.25
    assert OwnMLP(2, [3, 1])([1.0, 0.5]).data == 3 * (0.5 * hidden) - 0.25


def test_a_neuron_and_a_layer_that_set_their_parts_themselves_give_micrograds_numbers():
    x = [1.0, -3.0]
    assert (OwnNeuron(2)(x).data, OwnNeuron(2, nonlin=False)(x).data) == (0.0, -1.25)
    assert OwnNeuron(2, nonlin=False).predict(x) == -1.25
    assert [a.data for a in OwnLayer(2, 3, nonlin=False)(x)] == [-1.25] * 3
    assert OwnLayer(2, 2, TanhNeuron).predict(x) == [Value(-1.25).tanh().data] * 2
    neuron = OwnNeuron(2, nonlin=False)
    neuron.nonlin = True
    assert neuron.activation is ops.relu
    assert repr(neuron) == "OwnNeuron(2, activation='relu')"
    assert repr(OwnLayer(2, 1)) == "OwnLayer of [OwnNeuron(2, activation='relu')]"


def test_a_neuron_takes_as_many_inputs_as_it_has_weights():
    neuron = Neuron(2, init="zeros")
    neuron.w = [Value(1.0), Value(2.0), Value(3.0)]
    assert neuron([1.0, 1.0, 1.0]).data == neuron.predict([1.0, 1.0, 1.0]) == 6.0
    with pytest.raises(ValueError, match="expected 3 inputs, got 2"):
        neuron([1.0, 1.0])
    with pytest.raises(ValueError, match="2 weights takes as many inputs, not 3"):
        OwnMLP(2, [3, 1])([1.0, 2.0, 3.0])


def doubled(method):
    def replacement(self, *args):
        y = method(self, *args)
        return type(y)([2 * v for v in y]) if isinstance(y, list) else 2 * y

    return replacement


@pytest.mark.parametrize("name", [
    "Neuron.__call__", "Neuron.activate", "Neuron.preactivation", "Layer.activations", "MLP.__call__",
])  # fmt: skip
def test_predictions_follow_a_method_that_is_set_on_the_class(monkeypatch, name):
    owner, method = name.split(".")
    cls = {"Neuron": Neuron, "Layer": Layer, "MLP": MLP}[owner]
    models = [MLP(2, [3, 2], "tanh"), Layer(2, 3, "tanh"), Neuron(2, "tanh")]
    before = [model.predict([1.0, 0.5]) for model in models]
    monkeypatch.setattr(cls, method, doubled(getattr(cls, method)))
    after = [model.predict([1.0, 0.5]) for model in models]
    assert after == [Module.predict(model, [1.0, 0.5]) for model in models]
    assert after != before
