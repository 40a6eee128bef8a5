"""A model as a file and back: the same bits, or an error; whole, or not at all."""

import errno
import hashlib
import json
import os
import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Op, Value
from nn import MLP, Layer, Module, load, save


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
    """The file with some of its content changed, and a checksum that fits again."""
    content = json.loads(path.read_text())
    content.pop("sha256", None)
    content.update(changes)
    content["sha256"] = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(content))
    return content


def test_a_new_model_is_the_saved_one(model, path):
    twin = load(path)
    assert type(twin) is MLP
    assert repr(twin) == repr(model)
    assert bits(twin) == bits(model)
    assert twin.predict([0.1, 0.2]) == model.predict([0.1, 0.2])


@given(numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3))
def test_every_finite_float_comes_back_bit_for_bit(tmp_path_factory, numbers):
    model = MLP(2, [1])
    for p, number in zip(model.parameters(), numbers):
        p.data = number
    where = tmp_path_factory.mktemp("bits") / "model.json"
    save(model, where)
    assert bits(load(where)) == bits(model)


def test_into_sets_the_parameters_of_a_model_that_is_there(model, path):
    other = MLP(2, [3, 1], activation="tanh")
    w = other.layers[0].neurons[0].w[0]
    assert load(path, into=other) is other
    assert bits(other) == bits(model)
    assert other.layers[0].neurons[0].w[0] is w


@pytest.mark.parametrize("options", [{"atomic": True}, {"output": "sigmoid"}, {"activation": None}])
def test_the_architecture_comes_back_too(tmp_path, options):
    model = MLP(2, [2, 2], **options)
    save(model, tmp_path / "m")
    twin = load(tmp_path / "m")
    assert (repr(twin), twin.atomic) == (repr(model), model.atomic)


def test_other_modules_are_loaded_into_one_that_is_there(tmp_path):
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


def test_a_learners_activation_comes_back_if_it_is_defined(tmp_path):
    Op("cubed_saved", "a ** 3", "3 * a**2")
    model = MLP(2, [2, 1], activation="cubed_saved")
    save(model, tmp_path / "m")
    assert load(tmp_path / "m").predict([0.5, 0.5]) == model.predict([0.5, 0.5])


def test_an_activation_that_is_not_defined_is_asked_for(path):
    architecture = json.loads(path.read_text())["architecture"]
    rewritten(path, architecture={**architecture, "activation": "swoosh"})
    with pytest.raises(
        ValueError, match="its activation 'swoosh' is not defined here; define it with Op first"
    ):
        load(path)


# Refused, with the model as it was


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
def test_it_is_loaded_into_a_model(path, into):
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
def test_a_parameter_that_is_no_finite_float_is_refused(path, model, number):
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
def test_what_is_no_model_is_refused(tmp_path, content):
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
def test_an_architecture_that_cannot_be_is_refused(path, changes):
    architecture = json.loads(path.read_text())["architecture"]
    rewritten(path, architecture={**architecture, **changes})
    with pytest.raises(ValueError, match="cannot be built|only an MLP") as told:
        load(path)
    assert str(told.value).startswith(f"{path} ")


@pytest.mark.parametrize("missing", ["nin", "nouts", "activation", "output", "atomic", "kind"])
def test_an_architecture_that_lacks_something_is_refused(path, missing):
    architecture = json.loads(path.read_text())["architecture"]
    rewritten(path, architecture={name: it for name, it in architecture.items() if name != missing})
    with pytest.raises(ValueError, match="cannot be built|only an MLP"):
        load(path)


def test_what_is_wrong_with_a_file_is_said(path):
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "format": "other"}))
    with pytest.raises(ValueError, match="or no model: its format is 'other'$"):
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
def test_any_byte_changed_gives_an_error_or_the_same_model(tmp_path_factory, data):
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


def test_a_file_that_is_not_there_is_the_systems_own_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nowhere.json")


# Written whole or not at all


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_parameter_that_is_not_finite_is_not_saved(path, model, number):
    before = path.read_bytes()
    model.layers[0].neurons[1].w[0].data = number
    with pytest.raises(ValueError, match="parameter w1_1_0 is (nan|inf); only finite numbers"):
        save(model, path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["model.json"]


def test_only_models_are_saved(tmp_path):
    with pytest.raises(TypeError, match="expected a model, not dict"):
        save({"w": 1.0}, tmp_path / "m")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("call", ["open", "fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_whatever_fails_the_old_file_stays_whole_and_alone(path, monkeypatch, call, error):
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


def test_a_write_that_stops_half_way_leaves_the_old_file(path, monkeypatch):
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


def test_saving_follows_a_link_and_leaves_it_a_link(tmp_path, model):
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to("real.json")
    save(model, tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert bits(load(tmp_path / "real.json")) == bits(model)


def test_a_file_takes_the_place_of_a_file_and_of_nothing_else(tmp_path, model):
    with pytest.raises(OSError, match="expected a file") as told:
        save(model, tmp_path)
    says = "expected a file, or nothing, to write a model to"
    assert (told.value.errno, told.value.strerror, told.value.filename) == (errno.EINVAL, says, str(tmp_path))


def test_the_file_can_be_read_by_a_person_line_by_line(path):
    lines = path.read_text(encoding="ascii").splitlines()
    assert lines[:2] == ["{", ' "format": "chalkgrad model",']
    assert lines[-1] == "}"


def test_a_folder_that_is_not_there_is_the_systems_own_error(tmp_path, model):
    with pytest.raises(FileNotFoundError):
        save(model, tmp_path / "nowhere" / "model.json")


def test_a_module_of_your_own_is_saved_by_its_parameters(tmp_path):
    class Line(Module):
        def __init__(self, slope):
            self.slope = Value(slope)

        def parameters(self):
            return [self.slope]

    save(Line(0.1), tmp_path / "m")
    assert load(tmp_path / "m", into=Line(5.0)).slope.data == 0.1
