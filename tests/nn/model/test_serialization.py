"""Saving and loading: the same bits or an error; a file is written whole or not at all."""

import errno
import hashlib
import json
import os
import pathlib
import random
import re
import struct
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Op, Value, get_op
from nn import MLP, Layer, Module, Neuron, load, save


@pytest.fixture
def model():
    return MLP(2, [3, 1], activation="tanh", rng=random.Random(0))


@pytest.fixture
def path(tmp_path, model):
    save(model, tmp_path / "model.json")
    return tmp_path / "model.json"


def bits(model):
    return [struct.pack("d", p.data) for p in model.parameters()]


def rewritten(path, **changes):
    """Change some of the content of the file and write it with a correct checksum; return the content."""
    content = json.loads(path.read_text())
    content.pop("sha256", None)
    content.update(changes)
    content["sha256"] = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(content))
    return content


def test_a_loaded_model_equals_the_saved_one(model, path):
    twin = load(path)
    assert type(twin) is MLP
    assert repr(twin) == repr(model)
    assert bits(twin) == bits(model)
    assert twin.predict([0.1, 0.2]) == model.predict([0.1, 0.2])


@given(numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3))
def test_every_finite_float_is_saved_exactly(tmp_path_factory, numbers):
    model = MLP(2, [1])
    for p, number in zip(model.parameters(), numbers):
        p.data = number
    where = tmp_path_factory.mktemp("bits") / "model.json"
    save(model, where)
    assert bits(load(where)) == bits(model)


def test_into_sets_the_parameters_of_an_existing_model(model, path):
    other = MLP(2, [3, 1], activation="tanh")
    w = other.layers[0].neurons[0].w[0]
    assert load(path, into=other) is other
    assert bits(other) == bits(model)
    assert other.layers[0].neurons[0].w[0] is w


@pytest.mark.parametrize("options", [{"atomic": True}, {"output": "sigmoid"}, {"activation": None}])
def test_the_architecture_is_saved(tmp_path, options):
    model = MLP(2, [2, 2], **options)
    save(model, tmp_path / "m")
    twin = load(tmp_path / "m")
    assert (repr(twin), twin.atomic) == (repr(model), model.atomic)


def test_other_modules_are_loaded_into_an_existing_one(tmp_path):
    layer, other = Layer(2, 2), Layer(2, 2)
    save(layer, tmp_path / "layer.json")
    assert bits(load(tmp_path / "layer.json", into=other)) == bits(layer)
    with pytest.raises(ValueError, match="Layer") as told:
        load(tmp_path / "layer.json")
    described = {"nin": 2, "nout": 2, "activation": "relu", "atomic": False}
    expected = {"kind": "Layer", "parameters": 6, "layers": [described]}
    assert json.loads((tmp_path / "layer.json").read_text())["architecture"] == expected
    message = "holds a Layer; only an MLP is built from its file: use load(path, into=...)"
    assert str(told.value) == f"{tmp_path / 'layer.json'} {message}"


def test_an_activation_of_the_user_is_loaded_if_it_is_defined(tmp_path):
    Op("cubed_saved", "a ** 3", "3 * a**2")
    model = MLP(2, [2, 1], activation="cubed_saved")
    save(model, tmp_path / "m")
    assert load(tmp_path / "m").predict([0.5, 0.5]) == model.predict([0.5, 0.5])


def test_an_activation_that_is_not_defined_is_named(path):
    architecture = json.loads(path.read_text())["architecture"]
    rewritten(path, architecture={**architecture, "activation": "swoosh"})
    with pytest.raises(
        ValueError, match="its activation 'swoosh' is not defined here; define it with Op first"
    ):
        load(path)


# Refused files leave the model as it was


@pytest.mark.parametrize(
    "into",
    [
        MLP(2, [4, 1], "tanh"),
        MLP(2, [3, 1], "relu"),
        MLP(2, [3, 1], "tanh", "tanh"),
        MLP(3, [3, 1], "tanh"),
        Layer(2, 3),
    ],
)
def test_another_architecture_is_refused(path, into):
    before = bits(into)
    save(into, path.with_name("other"))
    expected, found = (json.loads(p.read_text())["architecture"] for p in (path.with_name("other"), path))
    expected.pop("layers", None)  # the file is of version 1, which describes no layers
    with pytest.raises(ValueError, match="holds another model") as told:
        load(path, into=into)
    assert str(told.value) == f"{path} holds another model: expected {expected}, found {found!r:.200}"
    assert bits(into) == before


@pytest.mark.parametrize("into", [{}, MLP, [1.0]])
def test_into_must_be_a_model(path, into):
    with pytest.raises(TypeError, match=f"^into is a model, not {type(into).__name__}: "):
        load(path, into=into)


def test_loading_draws_no_random_numbers(path):
    state = random.getstate()
    load(path)
    assert random.getstate() == state


def test_another_version_is_refused(path):
    rewritten(path, version=3)
    with pytest.raises(ValueError, match="is of version 3; this chalkgrad reads versions 1 and 2"):
        load(path)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 1, True, None, "1.0", [1.0]])
def test_a_parameter_that_is_not_a_finite_float_is_refused(path, model, number):
    numbers = [p.data for p in model.parameters()]
    rewritten(path, parameters=[*numbers[:-1], number])
    with pytest.raises(ValueError, match="parameter 12 is .*, not a finite number"):
        load(path, into=model)
    assert [p.data for p in model.parameters()] == numbers


NO_MODELS = [
    b"", b"{", b"[]", b"null", b"3", b'"text"', b"{}", b"\xff\xfe", b"[" * 100_000, b'{"format": "other"}',
    b'{"format": "chalkgrad model"}', b'{"format": "chalkgrad model", "version": 1}',
]  # fmt: skip


@pytest.mark.parametrize("content", NO_MODELS)
def test_a_file_that_holds_no_model_is_refused(tmp_path, content):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(ValueError, match="damaged|version"):
        load(tmp_path / "m")


@pytest.mark.parametrize(
    "changes",
    [
        {"nin": 10**9, "nouts": [10**9]},
        {"nouts": "31"},
        {"nin": 2.0},
        {"nin": 12, "nouts": []},
        {"nin": -2, "nouts": [-13]},
        {"activation": ["relu"]},
        {"activation": "max"},
        {"kind": "Layer"},
        {"kind": None},
    ],
)
def test_an_impossible_architecture_is_refused(path, changes):
    architecture = json.loads(path.read_text())["architecture"]
    rewritten(path, architecture={**architecture, **changes})
    with pytest.raises(ValueError, match="cannot be built|only an MLP") as told:
        load(path)
    assert str(told.value).startswith(f"{path} ")


@pytest.mark.parametrize("missing", ["nin", "nouts", "activation", "output", "atomic", "kind"])
def test_an_incomplete_architecture_is_refused(path, missing):
    architecture = json.loads(path.read_text())["architecture"]
    rewritten(path, architecture={name: it for name, it in architecture.items() if name != missing})
    with pytest.raises(ValueError, match="cannot be built|only an MLP"):
        load(path)


def test_the_message_names_the_fault_of_the_file(path):
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "format": "other"}))
    with pytest.raises(ValueError, match="or not a model: its format is 'other'$"):
        load(path)
    path.write_text(json.dumps({name: it for name, it in content.items() if name != "sha256"}))
    with pytest.raises(ValueError, match="is damaged: its checksum does not fit its content$") as told:
        load(path)
    assert str(told.value).startswith(f"{path} ")
    rewritten(path, architecture={**content["architecture"], "nin": 3})
    with pytest.raises(ValueError, match=r"layers of \[3, 3, 1\] do not have 13 parameters$"):
        load(path)


@pytest.mark.parametrize("architecture", [None, [], "MLP"])
def test_a_file_without_an_architecture_is_refused(path, architecture):
    rewritten(path, architecture=architecture)
    with pytest.raises(ValueError, match="lacks an architecture"):
        load(path)


def test_every_truncation_is_an_error(path):
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="damaged"):
            load(path)


@settings(max_examples=150)
@given(data=st.data())
def test_a_changed_byte_gives_an_error_or_the_same_model(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("bytes")
    model = MLP(2, [2, 1], activation="tanh", rng=random.Random(0))
    save(model, folder / "m")
    whole = bytearray((folder / "m").read_bytes())
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    (folder / "m").write_bytes(whole)
    try:
        found = load(folder / "m")
    except ValueError:
        return
    assert (bits(found), repr(found)) == (bits(model), repr(model))


def test_a_missing_file_raises_file_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nowhere.json")


# Written whole or not at all


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_parameter_that_is_not_finite_is_not_saved(path, model, number):
    before = path.read_bytes()
    model.layers[0].neurons[1].w[0].data = number
    with pytest.raises(ValueError, match="parameter w1_0_1 is (nan|inf); only finite numbers"):
        save(model, path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["model.json"]


def test_only_models_are_saved(tmp_path):
    with pytest.raises(TypeError, match="expected a model, not dict"):
        save({"w": 1.0}, tmp_path / "m")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("call", ["open", "fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_after_a_failed_save_only_the_old_file_is_there(path, monkeypatch, call, error):
    before = path.read_bytes()

    def fail(*args, **kwargs):
        raise error

    owner = "builtins" if call == "open" else "os"
    monkeypatch.setattr(f"{owner}.{call}", fail)
    with pytest.raises(type(error)):
        save(MLP(2, [3, 1]), path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["model.json"]


def test_a_write_that_stops_half_way_keeps_the_old_file(path, monkeypatch):
    before = path.read_bytes()
    real = open

    def full(*args, **kwargs):
        file = real(*args, **kwargs)
        write = file.write

        def half(text):
            write(text[: len(text) // 2])
            raise OSError(28, "No space left on device")

        file.write = half
        return file

    monkeypatch.setattr("builtins.open", full)
    with pytest.raises(OSError, match="No space left"):
        save(MLP(2, [3, 1]), path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["model.json"]


def test_saving_writes_through_a_symbolic_link(tmp_path, model):
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to("real.json")
    save(model, tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert bits(load(tmp_path / "real.json")) == bits(model)


def test_only_a_file_is_replaced(tmp_path, model):
    with pytest.raises(OSError, match="expected a file") as told:
        save(model, tmp_path)
    says = "expected a file, or nothing, to write to"
    assert (told.value.errno, told.value.strerror, told.value.filename) == (errno.EINVAL, says, str(tmp_path))


def test_the_file_is_indented_json(path):
    lines = path.read_text(encoding="ascii").splitlines()
    assert lines[:2] == ["{", ' "format": "chalkgrad model",']
    assert lines[-1] == "}"


def test_a_missing_folder_raises_file_not_found(tmp_path, model):
    with pytest.raises(FileNotFoundError):
        save(model, tmp_path / "nowhere" / "model.json")


def test_a_module_of_the_user_is_saved_by_its_parameters(tmp_path):
    class Line(Module):
        def __init__(self, slope):
            self.slope = Value(slope)

        def parameters(self):
            return [self.slope]

    save(Line(0.1), tmp_path / "m")
    assert load(tmp_path / "m", into=Line(5.0)).slope.data == 0.1


# Files of version 0.1.0

FILES = pathlib.Path(__file__).parent / "files"


def test_a_file_of_version_0_1_0_is_loaded():
    model = load(FILES / "mlp_0_1_0.json")
    assert repr(model) == "MLP(2, [3, 1], activation='tanh', output='sigmoid')"
    assert model.predict([0.5, -1.0]) == 0.4363283191697628


def test_a_layer_saved_by_version_0_1_0_is_loaded_into_a_layer():
    layer = load(FILES / "layer_0_1_0.json", into=Layer(2, 2, "tanh"))
    assert layer.predict([0.5, -1.0]) == [-0.7858563851763114, 0.6373134678899534]


def test_a_file_of_version_0_1_0_with_an_activation_of_the_user_is_loaded():
    Op("cubed_of_0_1_0", "a ** 3", "3 * a**2")
    model = load(FILES / "own_op_0_1_0.json")
    assert (model.atomic, model.predict([0.5, -1.0])) == (True, -0.029697480837210737)


def test_a_plain_net_is_saved_in_the_format_that_version_0_1_0_reads(tmp_path):
    model = load(FILES / "mlp_0_1_0.json")
    save(model, tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == (FILES / "mlp_0_1_0.json").read_bytes()


# A net that was changed by hand


def one_other_activation(model):
    model.layers[0].neurons[1].activation = get_op("relu")


def other_activations(model):
    for neuron in model.layers[0].neurons:
        neuron.activation = get_op("relu")


def no_activations(model):
    for neuron in model.layers[0].neurons:
        neuron.activation = None


def no_nonlinearity(model):
    for neuron in model.layers[0].neurons[:2]:
        neuron.nonlin = False


def activations_by_name(model):
    for neuron in model.layers[0].neurons:
        neuron.activation = "sin"


def another_activation_of_a_layer(model):
    model.layers[0] = Layer(2, 3, activation="sin")


def another_layer(model):
    model.layers[0] = Layer(2, 5, activation="sin")
    model.layers[1] = Layer(5, 2, activation="gelu")


def one_more_layer(model):
    model.layers.append(Layer(1, 3, activation=None))


def atomic_neurons(model):
    model.layers[1] = Layer(3, 1, activation=None, atomic=True)


@pytest.mark.parametrize(
    "change",
    [
        one_other_activation,
        other_activations,
        no_activations,
        no_nonlinearity,
        activations_by_name,
        another_activation_of_a_layer,
        another_layer,
        one_more_layer,
        atomic_neurons,
    ],
)
def test_layers_are_saved_as_they_are(tmp_path, model, change):
    change(model)
    save(model, tmp_path / "m")
    again = load(tmp_path / "m")
    assert again.predict([0.5, -1.0]) == model.predict([0.5, -1.0])
    assert bits(again) == bits(model)
    assert [n.atomic for layer in again.layers for n in layer.neurons] == [
        n.atomic for layer in model.layers for n in layer.neurons
    ]
    with pytest.raises(ValueError, match="holds another model"):
        load(tmp_path / "m", into=MLP(2, [3, 1], activation="tanh"))


def test_a_file_is_not_loaded_into_a_net_that_was_changed(path, model):
    other_activations(model)
    with pytest.raises(ValueError, match="holds another model"):
        load(path, into=model)


def test_a_layer_is_not_loaded_into_one_of_another_activation(tmp_path):
    save(Layer(2, 2, "tanh"), tmp_path / "m")
    with pytest.raises(ValueError, match="holds another model"):
        load(tmp_path / "m", into=Layer(2, 2, "relu"))


class Doubled(Neuron):
    def activate(self, z):
        return 2 * z


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.layers[0].neurons.clear(), "layer 1 is a Layer without neurons"),
        (lambda m: m.layers.clear(), "the model has no layers"),
        (lambda m: m.layers.__setitem__(0, Doubled(2)), "layer 1 is a Doubled without neurons"),
        (lambda m: m.layers[1].neurons.__setitem__(0, Doubled(3)), "neuron 0 of layer 2 is a Doubled"),
        (
            lambda m: setattr(m.layers[1].neurons[0], "activation", abs),
            "neuron 0 of layer 2 has the activation <built-in",
        ),
        (
            lambda m: m.layers.__setitem__(0, Layer(2, 4)),
            "layer 2 has 3 inputs and the layer before it has 4",
        ),
        (lambda m: m.layers[0].neurons[2].w.pop(), "neuron 2 of layer 1 has 1 weights; expected 2"),
    ],
)
def test_layers_that_a_file_cannot_describe_are_refused(path, model, change, message):
    before = path.read_bytes()
    change(model)
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        save(model, path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("number", [1, True, -0.0, 10**15])
def test_any_number_written_to_a_parameter_is_saved_and_loaded(tmp_path, model, number):
    model.parameters()[0].data = number
    save(model, tmp_path / "m")
    assert bits(load(tmp_path / "m")) == bits(model)


def test_an_int_in_a_parameter_of_another_class_is_saved_as_a_float(tmp_path):
    class Line(Module):
        def __init__(self, slope):
            self.slope = SimpleNamespace(data=slope, label="")

        def parameters(self):
            return [self.slope]

    save(Line(1), tmp_path / "m")
    assert load(tmp_path / "m", into=Line(5)).slope.data == 1.0


# Activations of the user


def test_an_activation_with_another_formula_is_refused(tmp_path):
    Op("changed_op", "a * 2", "2")
    model = MLP(2, [2, 1], activation="changed_op")
    save(model, tmp_path / "m")
    assert load(tmp_path / "m").predict([1.0, 2.0]) == model.predict([1.0, 2.0])
    Op("changed_op", "a * 3", "3")
    with pytest.raises(ValueError, match=r"'changed_op' was saved with the formulas \['a \* 2', '2'\]"):
        load(tmp_path / "m")
    with pytest.raises(ValueError, match="holds another model"):
        load(tmp_path / "m", into=MLP(2, [2, 1], activation="changed_op"))
    assert load(tmp_path / "m", into=model) is model


def test_an_activation_that_calls_another_formula_is_refused(tmp_path):
    Op("inner_op", "a * 2", "2")
    Op("outer_op", "inner_op(a) + 1", "2")
    save(MLP(2, [2, 1], output="outer_op"), tmp_path / "m")
    Op("inner_op", "a * 3", "3")
    Op("outer_op", "inner_op(a) + 1", "2")
    with pytest.raises(ValueError, match="those here are .*inner_op: a \\* 3"):
        load(tmp_path / "m")


def test_two_activations_of_one_name_are_refused(tmp_path):
    first = Op("twice_named", "a * 2", "2")
    model = MLP(2, [2, 1], activation=first)
    model.layers[1] = Layer(2, 1, activation=Op("twice_named", "a * 3", "3"))
    with pytest.raises(ValueError, match="two activations 'twice_named' with different formulas"):
        save(model, tmp_path / "m")
