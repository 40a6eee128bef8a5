"""The house stands as drawn: imports fall one way, rooms stay small, lines touch only what they may."""

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

# A room may import the rooms behind its arrow, and all of those stand above it.
LADDER = {
    "engine.plain": "",
    "engine.formula": "",
    "engine.notation": "formula",
    "engine.op": "formula notation plain",
    "engine.ops": "op formula",
    "engine.backward": "",
    "engine.value": "op plain backward",
    "engine.pause": "op value",
    "engine.record": "op notation",
    "engine.operators": "ops op value record pause plain",
    "engine.sums": "ops op value operators plain",
    "engine.anomaly": "op notation value backward pause operators",
    "engine.check": "op value backward pause",
    "engine.dot": "",
    "engine.labels": "value",
    "engine.box": "labels value",
    "engine.fold": "backward box labels value",
    "engine.draw": "box dot fold labels backward value",
    "engine.settled": "formula notation op",
    "engine.wording": "dot notation settled value",
    "engine.paths": "backward value",
    "engine.neuron": "backward labels paths value wording",
    "engine.explain": "backward neuron paths value wording",
    "engine.play": "backward dot draw explain fold labels value wording",
    "engine.names": "",
    "engine.source": "formula names notation",
    "engine.backends": "",
    "engine.backends.replay": "formula op source",
    "engine.backends.step": "engine.backends.replay plain",
    "engine.backends.loop": "formula names notation source",
    "engine.backends.python": "engine.backends.loop engine.backends.step notation",
    "engine.backends.arrays": "engine.backends.step",
    "engine.backends.numpy": "engine.backends.arrays notation source",
    "engine.backends.vector": "",
    "engine.backends.vectors": "engine.backends.vector",
    "engine.backends.lanes": "engine.backends.vector engine.backends.vectors backends formula",
    "engine.backends.split": "engine.backends.replay formula",
    "engine.backends.sweep": "engine.backends.vector",
    "engine.backends.gather": "engine.backends.split engine.backends.sweep engine.backends.vector",
    "engine.backends.blocks": """
        engine.backends.gather engine.backends.split engine.backends.sweep engine.backends.vector
        """,
    "engine.backends.assembly": """
        backends engine.backends.blocks engine.backends.gather engine.backends.lanes engine.backends.replay
        engine.backends.split engine.backends.vector engine.backends.vectors formula
        """,
    "engine.backends.llvm": """
        engine.backends.arrays engine.backends.assembly engine.backends.replay engine.backends.split
        engine.backends.vector
        """,
    "engine.backends.tensors": "engine.backends.arrays formula op",
    "engine.backends.jax": "engine.backends.tensors",
    "engine.backends.torch": "engine.backends.tensors",
    "engine.program": "backends engine.backends.replay engine.backends.step formula op source",
    "engine.tracing": "backward formula names op program source value",
    "nn.init": "",
    "nn.textbook": "",
    "nn.lens": "",
    "nn.optim": "",
    "nn.history": "",
    "nn.plots": "history",
    "nn.progress": "history",
    "nn.activation": "engine",
    "nn.inputs": "engine engine.value engine.plain",
    "nn.data": "engine.plain init inputs",
    "nn.losses": "engine engine.plain",
    "nn.classes": "losses",
    "nn.answers": "engine inputs",
    "nn.modules": "engine engine.operators activation answers init inputs",
    "nn.save": "engine engine.op activation modules",
    "nn.paper": "engine engine.value engine.op losses modules textbook",
    "nn.deltas": "engine engine.value activation inputs lens losses modules paper textbook",
    "nn.samples": "engine.plain inputs losses modules",
    "nn.steps": "engine engine.op engine.value answers losses modules samples",
    "nn.train": "history init inputs losses modules progress samples steps",
    "nn.graphs": "engine engine.dot losses modules",
    "nn.demo": "classes data deltas graphs losses modules optim plots save train",
    "nn.__main__": "engine.backends activation demo init losses",
}
FRONT_DOORS = {"engine", "nn"}  # may import every room of their own package

PUBLIC = {
    "engine": """
        Value Op ops exp log sqrt sin cos tan tanh sigmoid relu leaky_relu softplus gelu maximum minimum
        weighted_sum total softmax log_softmax logsumexp
        topological_order backward_steps grad no_grad gradcheck explain draw_dot play trace
        """,
    "nn": "Module Neuron Layer MLP SGD Adam fit deltas save load init losses data",
}

# A public name without an example, and why.
NO_EXAMPLE = {
    "engine.Contribution": "backward_steps shows one",
    "engine.ops.Operation": "an interface: Op shows it",
    "nn.DeltaReport": "deltas shows one",
    "nn.Epoch": "a History is made of them",
    "nn.Module": "an interface: MLP shows it",
    "nn.Optimizer": "an interface: SGD shows it",
}

SIZE = 150  # lines of code; docstrings, comments and blank lines are free


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


ROOMS = {name_of(path): path for package in FRONT_DOORS for path in sorted((ROOT / package).rglob("*.py"))}
each_room = pytest.mark.parametrize("room", sorted(ROOMS))


@cache
def tree(room: str) -> ast.Module:
    return ast.parse(ROOMS[room].read_text(encoding="utf-8"))


def imports(room: str) -> set[str]:
    """The rooms and foreign packages that a room imports, at its head or within a function."""
    found = set()
    typing_only = {
        id(inner)
        for node in ast.walk(tree(room))
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree(room)):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{room} imports by dots; the house gives rooms by their full names"
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & set(ROOMS)
            at_home = node.module == room.partition(".")[0]  # from elsewhere, a room at the door is the door
            found |= inner if inner and (at_home or node.module not in FRONT_DOORS) else {node.module}
    return found


def allowed(room: str) -> set[str]:
    package = room.partition(".")[0]
    return {name if "." in name or name == "engine" else f"{package}.{name}" for name in LADDER[room].split()}


# Imports


def test_every_room_has_its_place_on_the_ladder():
    assert set(ROOMS) - FRONT_DOORS == set(LADDER)


@pytest.mark.parametrize("room", LADDER)
def test_the_ladder_leads_one_way(room):
    above = list(LADDER)[: list(LADDER).index(room)]
    assert allowed(room) <= {*above, "engine"}


@pytest.mark.parametrize("room", sorted(set(ROOMS) & set(LADDER)))
def test_a_room_imports_only_from_above(room):
    house = {name for name in imports(room) if name.partition(".")[0] in FRONT_DOORS}
    assert house <= allowed(room)


def test_the_textbook_is_an_independent_witness():
    assert imports("nn.textbook") <= {"__future__", "collections.abc", "math", "typing"}


def entered_by(package):
    program = (
        f"import sys; before = set(sys.modules); import {package}; loaded = set(sys.modules) - before; "
        "import json; print(json.dumps([*loaded]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=ROOT, check=True)
    return set(json.loads(done.stdout))


def loaded_by(package):
    return {name.partition(".")[0] for name in entered_by(package)}


@pytest.mark.parametrize("package", sorted(FRONT_DOORS))
def test_importing_needs_nothing_but_the_standard_library(package):
    assert loaded_by(package) - sys.stdlib_module_names - FRONT_DOORS == set()


def test_importing_the_engine_leaves_alone_what_is_slow_and_seldom_needed():
    seldom = {"dataclasses", "decimal", "hashlib", "html", "inspect", "json", "pathlib", "random"}
    assert not loaded_by("engine") & seldom
    assert not entered_by("engine") & {
        f"engine.{room}" for room in ("check", "draw", "explain", "play", "program")
    }


def test_a_function_with_the_name_of_its_room_stays_the_function():
    program = (
        "import engine.explain, engine.play; from engine import explain, play; "
        "print(*map(callable, [explain, play, engine.explain, engine.play]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=ROOT, check=True)
    assert done.stdout.split() == [b"True"] * 4


# Rooms


@each_room
def test_a_room_opens_with_one_plain_sentence(room):
    sentence = (ast.get_docstring(tree(room)) or "").partition("\n")[0]
    assert sentence.endswith((".", "?", "!"))


@each_room
def test_a_room_is_small(room):
    lines = ROOMS[room].read_text(encoding="utf-8").splitlines()
    free = {i for i, line in enumerate(lines, 1) if not line.strip() or line.strip().startswith("#")}
    for node in ast.walk(tree(room)):
        holds_docstring = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if holds_docstring and ast.get_docstring(node) is not None:
            free |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    assert len(lines) - len(free) <= SIZE


# What a line may touch


def writers(of: str, kind: type) -> list[str]:
    """The rooms with a statement of that kind that writes the attribute, once for each such statement."""
    return [
        room
        for room in ROOMS
        for node in ast.walk(tree(room))
        if isinstance(node, kind)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        for part in ast.walk(target)
        if isinstance(part, ast.Attribute) and part.attr == of and isinstance(part.ctx, ast.Store)
    ]


def test_the_chain_rule_is_written_once():
    assert writers("grad", ast.AugAssign) == ["engine.backward"]


def test_gradients_are_set_only_where_they_begin():
    begin = {"engine.value", "engine.backward", "nn.modules", "nn.optim", "nn.steps"}
    assert {*writers("grad", ast.Assign), *writers("grad", ast.AnnAssign)} <= begin


def test_the_numbers_of_a_graph_are_written_only_by_those_who_own_them():
    owners = {"engine.value", "engine.check", "nn.optim", "nn.modules", "nn.save", "nn.train"}
    kinds = ast.Assign, ast.AnnAssign, ast.AugAssign
    assert {room for kind in kinds for room in writers("data", kind)} <= owners


@each_room
def test_only_notation_and_the_backends_run_source(room):
    called = {
        node.func.id
        for node in ast.walk(tree(room))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    if room != "engine.notation" and not room.startswith("engine.backends"):
        assert not called & {"exec", "eval", "compile"}


READERS = {"backward", "check", "explain", "draw", "play", "program"}


@pytest.mark.parametrize("room", sorted({f"engine.{name}" for name in READERS} & set(ROOMS)))
def test_a_reader_of_graphs_knows_no_operation_by_name(room):
    texts = {node.value for node in ast.walk(tree(room)) if isinstance(node, ast.Constant)}
    names = {symbol for symbol in engine.ops.table if symbol.isalpha()}
    assert not texts & names


# The front doors


@pytest.mark.parametrize("package", [engine, nn], ids=lambda package: package.__name__)
def test_the_front_door_lists_what_is_public(package):
    assert set(PUBLIC[package.__name__].split()) <= set(package.__all__)
    assert len(package.__all__) == len(set(package.__all__))
    assert all(hasattr(package, name) for name in package.__all__)


def public() -> dict[str, object]:
    """Every public function and class: those at the front doors, and those in the rooms that stand there."""
    found = {}
    for package in (engine, nn):
        for name in getattr(package, "__all__", ()):
            it = getattr(package, name)
            inside = getattr(it, "__all__", vars(it)) if inspect.ismodule(it) else None
            members = {name: it} if inside is None else {f"{name}.{key}": getattr(it, key) for key in inside}
            for key, member in members.items():
                ours = (getattr(member, "__module__", None) or "").partition(".")[0] in FRONT_DOORS
                if callable(member) and ours and "._" not in key:
                    found[f"{package.__name__}.{key}"] = member
    return found


@pytest.mark.parametrize("name", sorted(public()))
def test_every_public_name_tells_its_meaning_and_shows_an_example(name):
    it = public()[name]
    assert inspect.getdoc(it)
    row = isinstance(it, engine.ops.Operation)  # its formula is its example, and the table's test runs it
    assert row or ">>>" in it.__doc__ or name in NO_EXAMPLE


# The parcel


def test_the_wheel_holds_both_packages_and_says_that_they_are_typed(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("chalkgrad-*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = {path for package in FRONT_DOORS for path in (ROOT / package).rglob("*") if path.is_file()}
    assert held == {path.relative_to(ROOT).as_posix() for path in files if path.parent.name != "__pycache__"}
    assert {"engine/py.typed", "nn/py.typed"} <= held
