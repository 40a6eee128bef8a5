"""Save a model to a file and load it, exact to the last bit; a file is written whole or not at all.

The file is JSON: the architecture, the parameters (a decimal that Python writes reads back as the same
float), and a checksum of both, so that a damaged file is refused and never becomes another model.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, TypeAlias, TypeVar, overload

from engine import Op, as_float, brief, one_line, ops, shipped
from nn.model.activations import get_activation, symbol
from nn.model.modules import MLP, Layer, Module, Neuron
from nn.validation import expected

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["load", "save"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Path_: TypeAlias = "str | os.PathLike[str]"
M = TypeVar("M", bound=Module)

FORMAT = "chalkgrad model"
#: Version 1, the only one that 0.1.0 reads, describes a net by its options. Version 2 adds layers and
#: formulas that the options do not describe, and is written only for nets that have them.
VERSIONS = (1, 2)


def save(model: Module, path: str | os.PathLike[str]) -> None:
    """Write the parameters of ``model``, and what is needed to build it again, to ``path``.

    An existing file is replaced at the last moment; if anything fails before, it stays as it was. If the
    process is killed, a partial file may remain; a call more than an hour later removes it.

    Raises:
        TypeError: the model is not a Module, or the path is not a path.
        ValueError: a parameter is not finite, and the message names it; or the layers of an MLP were replaced
            by something that a file cannot describe.
        OSError: the file cannot be written.

    >>> import os, tempfile
    >>> from nn.model.modules import MLP
    >>> model = MLP(2, [3, 1])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, os.path.join(folder, "model.json"))
    ...     same = load(os.path.join(folder, "model.json"))
    >>> same, same.predict([0.1, 0.2]) == model.predict([0.1, 0.2])
    (MLP(2, [3, 1], activation='relu', output=None), True)
    """
    if not isinstance(model, Module):
        expected("expected a model", model)
    numbers: list[Json] = []
    for k, p in enumerate(model.parameters()):
        number = as_float(p.data)  # a parameter of another class may hold an int, which load would refuse
        if not isfinite(number):
            raise ValueError(
                f"parameter {one_line(p.label) or k} is {number}; only finite numbers can be saved"
            )
        numbers.append(number)
    architecture = _architecture(model, 2)
    content: dict[str, Json] = {
        "format": FORMAT,
        "version": 2 if architecture.keys() & {"layers", "formulas"} else 1,
        "architecture": architecture,
        "parameters": numbers,
    }
    import json

    from engine import write_whole  # loads pathlib, which is slow to import, too

    write_whole(path, json.dumps({**content, "sha256": _checksum(content)}, indent=1))


@overload
def load(path: str | os.PathLike[str], into: None = None) -> MLP: ...


@overload
def load(path: str | os.PathLike[str], into: M) -> M: ...


def load(path: str | os.PathLike[str], into: Module | None = None) -> Module:
    """Return the model that was saved: a new one, or ``into`` with its parameters set to the saved ones.

    Args:
        path: the file.
        into: a model of the same architecture. Only an MLP can be built from the file alone.

    Raises:
        TypeError: ``into`` is not a Module, or the path is not a path.
        ValueError: the file is damaged, its version is unknown, its architecture is not that of ``into``, a
            number in it is not finite, or an activation in it is not defined here or has another formula
            here. ``into`` is then as it was.
        OSError: the file cannot be read.

    >>> import os, tempfile
    >>> from nn.model.modules import MLP
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.json")
    ...     save(MLP(2, [3, 1]), path)
    ...     same = load(path, into=MLP(2, [3, 1]))
    """
    if into is not None and not isinstance(into, Module):
        expected("into is a model", into)
    from pathlib import Path

    version, saved, numbers = _read(Path(path))
    model = _build(path, saved, len(numbers)) if into is None else into
    found = _architecture(model, version)
    if found != saved or len(model.parameters()) != len(numbers):
        raise ValueError(f"{one_line(path)} holds another model: expected {found}, found {saved!r:.200}")
    for p, number in zip(model.parameters(), numbers):
        p.data = number
    return model


# The architecture


def _architecture(model: Module, version: int) -> dict[str, Json]:
    """Return the description of a model in a file of that version."""
    if type(model) is MLP:
        described = _options(model)
        layers = [_layer(layer, l) for l, layer in enumerate(model.layers, 1)]
        for l, (before, after) in enumerate(pairwise(layers), 2):
            if before["nout"] != after["nin"]:
                raise ValueError(
                    f"layer {l} has {after['nin']} inputs and the layer before it has {before['nout']} "
                    "neurons; expected equal numbers"
                )
        if not layers:
            raise ValueError("the model has no layers; a file describes an MLP of at least one")
        described["nin"] = layers[0]["nin"]
        described["nouts"] = [layer["nout"] for layer in layers]
        functions = [described["activation"]] * (len(layers) - 1) + [described["output"]]
        as_built = [(g, described["atomic"]) for g in functions]
        if [(layer["activation"], layer["atomic"]) for layer in layers] != as_built:
            described["layers"] = [*layers]
        neurons = [neuron for layer in model.layers for neuron in layer.neurons]
        rows = [model.activation, model.output, *(neuron.activation for neuron in neurons)]
    else:
        described = {"kind": type(model).__name__, "parameters": len(model.parameters())}
        neurons = model.neurons if type(model) is Layer else [model] if type(model) is Neuron else []
        rows = [neuron.activation for neuron in neurons]
        if version > 1 and type(model) in (Layer, Neuron):
            described["layers"] = [_layer(model, 1)]
    formulas: dict[str, Json] = {}
    for op in rows:
        if op and not _is_shipped(op) and formulas.setdefault(op.symbol, [*_formulas(op)]) != _formulas(op):
            raise ValueError(f"the model has two activations {op.symbol!r} with different formulas")
    if formulas and version > 1:
        described["formulas"] = formulas
    return described


def _options(model: MLP) -> dict[str, Json]:
    """Return the options with which the MLP was made."""
    return {
        "kind": "MLP",
        "nin": model.nin,
        "nouts": [*model.nouts],
        "activation": symbol(get_activation(model.activation)),
        "output": symbol(get_activation(model.output)),
        "atomic": bool(model.atomic),
    }


def _layer(layer: Module, l: int) -> dict[str, Json]:
    """Return the description of a layer as it is now, even if its neurons were replaced or changed.

    Raises:
        ValueError: something in it is not of the class that `load` would build.
    """
    neurons = [layer] if type(layer) is Neuron else layer.neurons if type(layer) is Layer else []
    if not neurons:
        raise ValueError(
            f"layer {l} is a {type(layer).__name__} without neurons; expected a Layer: make the net a "
            "Module of your own, and load it with load(path, into=...)"
        )
    for k, neuron in enumerate(neurons):
        if type(neuron) is not Neuron:
            raise ValueError(f"neuron {k} of layer {l} is a {type(neuron).__name__}; expected a Neuron")
        if not isinstance(neuron.activation, Op | None):
            found = brief(neuron.activation)
            raise ValueError(f"neuron {k} of layer {l} has the activation {found}; expected an Op or None")
        if len(neuron.w) != neuron.nin or neuron.nin != neurons[0].nin:
            raise ValueError(
                f"neuron {k} of layer {l} has {len(neuron.w)} weights; "
                f"expected {neurons[0].nin}, one for each input"
            )
    activations: list[Json] = [symbol(neuron.activation) for neuron in neurons]
    atomic: list[Json] = [bool(neuron.atomic) for neuron in neurons]
    return {
        "nin": neurons[0].nin,
        "nout": len(neurons),
        "activation": activations[0] if activations == activations[:1] * len(neurons) else activations,
        "atomic": atomic[0] if atomic == atomic[:1] * len(neurons) else atomic,
    }


def _is_shipped(op: Op) -> bool:
    return op.symbol in shipped and ops.table[op.symbol] is op


def _formulas(op: Op) -> list[str]:
    """Return the formulas of a row: y, its derivatives, and the operations that it calls, if not shipped."""
    texts = [op.formula.text, *(partial.text for partial in op.partials)]
    seen: dict[str, None] = {}
    for formula in (op.formula, *op.partials):
        seen.update(dict.fromkeys(_called(formula.tree, seen)))
    return [*texts, *seen]


def _called(tree: object, seen: dict[str, None]) -> Iterator[str]:
    """Yield "name: formula" of each operation in the tree that is not shipped."""
    if isinstance(tree, tuple):
        word, *args = tree
        if not isinstance(word, str) and word.name not in shipped:
            text = f"{word.name}: {word.text}"
            if text not in seen:
                seen[text] = None
                yield text
                yield from _called(word.tree, seen)
        for arg in args:
            yield from _called(arg, seen)


def _build(path: Path_, saved: dict[str, Json], count: int) -> MLP:
    """Return the MLP that a file describes; its sizes must fit the number of parameters in the file."""
    if saved.get("kind") != "MLP":
        kind = brief(saved.get("kind")).strip("'")
        raise ValueError(
            f"{one_line(path)} holds a {kind}; only an MLP is built from its file: use load(path, into=...)"
        )
    try:
        nin, nouts, layers = saved["nin"], saved["nouts"], saved.get("layers") or []
        if not isinstance(nin, int) or not isinstance(nouts, list) or not isinstance(layers, list):
            raise TypeError(f"expected whole numbers of neurons, not {brief([nin, nouts, layers])}")
        functions = [_names(layer) for layer in layers]
        for name in (saved["activation"], saved["output"], *(name for names in functions for name in names)):
            _check_defined(name, saved.get("formulas"))
        sizes = [nin, *nouts]
        if sum((n + 1) * m for n, m in pairwise(sizes)) != count:  # type: ignore[operator,misc]
            raise ValueError(f"layers of {brief(sizes)} do not have {count} parameters")
        model = MLP(
            nin,
            nouts,  # type: ignore[arg-type]
            saved["activation"],  # type: ignore[arg-type]
            saved["output"],  # type: ignore[arg-type]
            init="zeros",
            atomic=saved["atomic"],  # type: ignore[arg-type]
        )
        for layer, described, names in zip(model.layers, layers, functions):
            _set_functions(layer, described, names)
        return model
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"{one_line(path)} cannot be built: {reason}") from None


def _names(described: Json) -> list[Json]:
    """Return the activations of the neurons of a described layer; a single one is that of all neurons."""
    if not isinstance(described, dict):
        raise TypeError(f"a layer is an object, not {brief(described)}")
    names = described["activation"]
    return names if isinstance(names, list) else [names]


def _set_functions(layer: Layer, described: Json, names: list[Json]) -> None:
    """Set ``activation`` and ``atomic`` of each neuron as described; `load` compares them with the file."""
    n = len(layer.neurons)
    atomic = described["atomic"] if isinstance(described, dict) else False
    for neuron, name, single in zip(
        layer.neurons,
        names if len(names) > 1 else names * n,
        atomic if isinstance(atomic, list) else [atomic] * n,
    ):
        neuron.activation = get_activation(name)  # type: ignore[arg-type]
        neuron.atomic = bool(single)


def _check_defined(name: Json, formulas: Json) -> None:
    """Raise a ValueError unless the activation is defined here, with the formulas that the file states."""
    if name is None:
        return
    if not isinstance(name, str) or name not in ops.table:
        raise ValueError(f"its activation {brief(name)} is not defined here; define it with Op first")
    op, saved = ops.table[name], formulas.get(name) if isinstance(formulas, dict) else None
    if saved is not None and (not isinstance(op, Op) or _formulas(op) != saved):
        here = brief(_formulas(op)) if isinstance(op, Op) else "of many arguments"
        raise ValueError(
            f"its activation {brief(name)} was saved with the formulas {brief(saved)}; those here are {here}"
        )


# The file


def _read(path: Path) -> tuple[int, dict[str, Json], list[float]]:
    """Return the version, the architecture and the parameters in a file, after checking its checksum."""
    import json

    name, whole = one_line(path), path.read_bytes()
    try:
        content = json.loads(whole)
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {brief(content['format'])}")
        claimed = content.pop("sha256", None)
        version, found = content.get("version"), _checksum(content)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"{name} is damaged, or not a model: {error}") from None
    if type(version) is not int or version not in VERSIONS:
        known = " and ".join(map(str, VERSIONS))
        raise ValueError(f"{name} is of version {brief(version)}; this chalkgrad reads versions {known}")
    if claimed != found:
        raise ValueError(f"{name} is damaged: its checksum does not fit its content")
    architecture, numbers = content.get("architecture"), content.get("parameters")
    if not isinstance(numbers, list) or not isinstance(architecture, dict):
        raise ValueError(f"{name} is damaged: it lacks an architecture or a list of parameters")
    for k, number in enumerate(numbers):
        if type(number) is not float or not isfinite(number):
            raise ValueError(f"{name}: parameter {k} is {brief(number)}, not a finite number")
    return version, architecture, numbers


def _checksum(content: dict[str, Json]) -> str:
    import hashlib  # slow to import, as json is
    import json

    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
