"""Modules import only the layers below them, and do only what their layer may do."""

import ast
import inspect
import json
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import pytest

import engine
import nn

ROOT = Path(engine.__file__).parent.parent
PACKAGES = ("engine", "nn")

# Each layer imports itself and the layers named here. "engine" stands for the public names of engine.
LAYERS = {
    "engine.formula": [],
    "engine.core": ["engine.formula"],
    "engine.debug": ["engine.core", "engine.formula"],
    "engine.view": ["engine.core", "engine.formula"],
    "engine.compiler": ["engine.core", "engine.formula"],
    "nn.parts": ["engine"],
    "nn.validation": ["engine"],
    "nn.data": ["engine", "nn.validation"],
    "nn.model": ["engine", "nn.validation"],
    "nn.training": ["engine", "nn.validation", "nn.model"],
    "nn.textbook": ["engine", "nn.validation", "nn.model", "nn.training"],
    "nn.exercises": ["engine", "nn.validation", "nn.model", "nn.training", "nn.textbook"],
    "nn.plots": ["engine", "nn.validation", "nn.model", "nn.training"],
    "nn.demo": ["engine", "nn.data", "nn.model", "nn.training", "nn.textbook", "nn.plots"],
    "nn.__main__": ["engine", "nn.model", "nn.training", "nn.exercises", "nn.demo"],
}

PUBLIC = {
    "engine": """
        Value Op ops exp log sqrt sin cos tan tanh sigmoid relu leaky_relu softplus gelu maximum minimum
        weighted_sum total softmax log_softmax logsumexp
        topological_order backward_steps grad no_grad gradcheck explain draw_dot play trace
        """,
    "nn": """
        Module Neuron Layer MLP SGD Adam fit deltas save load init losses data plots
        accuracy batches clip_gradients Value
        """,
}

# Public names without an example, each with the reason.
NO_EXAMPLE = {
    "engine.Contribution": "backward_steps shows one",
    "engine.Player": "play returns one",
    "engine.core.ops.Operation": "an interface: Op shows it",
    "nn.DeltaReport": "deltas shows one",
    "nn.Epoch": "a History is made of them",
    "nn.Module": "an interface: MLP shows it",
    "nn.Optimizer": "an interface: SGD shows it",
}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}
each_module = pytest.mark.parametrize("module", sorted(MODULES))


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


@cache
def imports(module: str) -> frozenset[str]:
    """Return the modules that a module imports: at its top, under TYPE_CHECKING, or within a function."""
    found = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, (
                f"{module} has a relative import; chalkgrad imports modules by their full names"
            )
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in MODULES and node.module != "engine" else node.module)
    return frozenset(found)


def layer_of(module: str) -> str:
    """Return the layer of a module; "engine" and "nn" themselves are in no layer."""
    return next((layer for layer in LAYERS if module == layer or module.startswith(f"{layer}.")), module)


def ours(name: str) -> bool:
    return name.partition(".")[0] in PACKAGES


# Imports


def test_every_module_is_in_a_layer():
    assert {layer_of(module) for module in MODULES} == {*LAYERS, *PACKAGES}


def test_layers_import_only_layers_below_them():
    order = ["engine", *LAYERS]
    for layer, below in LAYERS.items():
        assert all(order.index(name) < order.index(layer) for name in below)


@pytest.mark.parametrize("module", sorted(set(MODULES) - set(PACKAGES)))
def test_a_module_imports_only_its_own_layer_and_those_below(module):
    layer = layer_of(module)
    imported = {layer_of(name) for name in imports(module) if ours(name)}
    assert imported <= {layer, *LAYERS[layer]}


@each_module
def test_nn_uses_public_names_of_the_engine_only(module):
    if module.startswith("nn"):
        assert not {name for name in imports(module) if name.startswith("engine.")}


def test_no_modules_import_each_other_in_a_circle():
    needs = {
        module: {name for name in imports(module) if name in MODULES} - {"engine", "nn"} for module in MODULES
    }
    done: set[str] = set()
    while left := {module for module in MODULES if module not in done}:
        free = {module for module in left if needs[module] <= done}
        assert free, f"a circle among {sorted(left)}"
        done |= free


def test_the_textbook_module_imports_only_the_standard_library():
    assert imports("nn.textbook.backprop") <= {"__future__", "collections.abc", "math", "typing"}


def modules_loaded_by(package):
    program = (
        f"import sys; before = set(sys.modules); import {package}; loaded = set(sys.modules) - before; "
        "import json; print(json.dumps([*loaded]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=ROOT, check=True)
    return set(json.loads(done.stdout))


def loaded_by(package):
    return {name.partition(".")[0] for name in modules_loaded_by(package)}


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_needs_nothing_but_the_standard_library(package):
    assert loaded_by(package) - sys.stdlib_module_names - set(PACKAGES) == set()


def test_importing_the_engine_does_not_import_slow_modules():
    seldom = {"dataclasses", "decimal", "hashlib", "html", "inspect", "json", "pathlib", "random"}
    assert not loaded_by("engine") & seldom
    heavy = {
        name
        for name in modules_loaded_by("engine")
        if name.startswith(("engine.view", "engine.compiler", "engine.debug"))
    }
    assert not heavy


# Modules


@each_module
def test_the_docstring_of_a_module_starts_with_a_sentence(module):
    sentence = (ast.get_docstring(tree(module)) or "").partition("\n")[0]
    assert sentence.endswith((".", "?", "!"))


# What a module may do


def writers(of: str, kind: type) -> list[str]:
    """Return the module of each statement of that kind that writes the attribute.

    The solutions of the exercises, right and wrong ones, are left out.
    """
    return [
        module
        for module in MODULES
        if not module.startswith("nn.exercises")
        for node in ast.walk(tree(module))
        if isinstance(node, kind)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        for part in ast.walk(target)
        if isinstance(part, ast.Attribute) and part.attr == of and isinstance(part.ctx, ast.Store)
    ]


def test_the_chain_rule_is_written_once():
    assert writers("_grad", ast.AugAssign) == ["engine.core.backward"]
    assert writers("grad", ast.AugAssign) == []


def written(of: str) -> set[str]:
    kinds = ast.Assign, ast.AnnAssign, ast.AugAssign
    return {module for kind in kinds for name in (of, f"_{of}") for module in writers(name, kind)}


def test_gradients_are_written_only_in_a_few_modules():
    names = ("value", "methods", "specialize", "backward", "adjoint", "grad", "closures")
    core = {f"engine.core.{name}" for name in names}
    assert written("grad") <= core | {
        "engine.compiler.guards",
        "nn.model.modules",
        "nn.training.optim",
        "nn.training.train_step",
    }


def test_the_numbers_of_a_graph_are_written_only_in_a_few_modules():
    core = {f"engine.core.{name}" for name in ("value", "methods", "specialize")}
    users = {
        "engine.debug.gradcheck",
        "engine.compiler.guards",
        "nn.training.optim",
        "nn.model.modules",
        "nn.model.serialization",
    }
    assert written("data") <= core | users


@each_module
def test_only_the_formula_compiler_runs_source(module):
    called = {
        node.func.id
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    if module != "engine.formula.compile":
        assert not called & {"exec", "eval", "compile"}


READERS = {
    "engine.core.backward", "engine.core.grad", "engine.debug.gradcheck", "engine.view.explain",
    "engine.view.draw", "engine.view.play", "engine.compiler.program",
}  # fmt: skip


@pytest.mark.parametrize("module", sorted(READERS))
def test_a_module_that_reads_graphs_names_no_operation(module):
    texts = {node.value for node in ast.walk(tree(module)) if isinstance(node, ast.Constant)}
    names = {symbol for symbol in engine.ops.table if symbol.isalpha()}
    assert not texts & names


@pytest.mark.parametrize(
    "module", ["engine.core.ops", "engine.core.op", "engine.core.value", "engine.core.backward"]
)
def test_the_core_is_written_out(module):
    source = MODULES[module].read_text(encoding="utf-8")
    assert "exec" not in {node.id for node in ast.walk(tree(module)) if isinstance(node, ast.Name)}
    assert "__get__" not in source


# Public names


@pytest.mark.parametrize("package", [engine, nn], ids=lambda package: package.__name__)
def test_the_package_lists_what_is_public(package):
    assert set(PUBLIC[package.__name__].split()) <= set(package.__all__)
    assert len(package.__all__) == len(set(package.__all__))
    assert all(hasattr(package, name) for name in package.__all__)


def public() -> dict[str, object]:
    """Return the public functions and classes of the packages, and of their public modules."""
    found = {}
    for package in (engine, nn):
        for name in getattr(package, "__all__", ()):
            it = getattr(package, name)
            inside = getattr(it, "__all__", vars(it)) if inspect.ismodule(it) else None
            members = {name: it} if inside is None else {f"{name}.{key}": getattr(it, key) for key in inside}
            for key, member in members.items():
                ours = (getattr(member, "__module__", None) or "").partition(".")[0] in PACKAGES
                if callable(member) and ours and "._" not in key:
                    found[f"{package.__name__}.{key}"] = member
    return found


@pytest.mark.parametrize("name", sorted(public()))
def test_every_public_name_has_a_docstring_with_an_example(name):
    it = public()[name]
    assert inspect.getdoc(it)
    row = isinstance(it, engine.ops.Operation)  # its formula serves as its example
    assert row or ">>>" in it.__doc__ or name in NO_EXAMPLE


# The wheel


def test_the_wheel_contains_both_packages_and_their_type_markers(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("chalkgrad-*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = {path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()}
    assert held == {path.relative_to(ROOT).as_posix() for path in files if path.parent.name != "__pycache__"}
    assert {"engine/py.typed", "nn/py.typed"} <= held
