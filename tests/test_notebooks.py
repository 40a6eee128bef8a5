"""Execute the notebooks, and compare their outputs with the stored ones.

    make notebooks               execute and compare
    REWRITE=1 make notebooks     execute and store the new outputs

A notebook is stored with its exercises not done. It is executed once more with right answers, which are in
tests/support/answers, one file for each notebook: a line `# exercise-NAME`, and then the text of the cell
with that tag.

Texts are compared, with numbers to nine digits, as the last digits differ between machines. Pictures are not
compared. A cell with the tag `nocompare` (such as one that shows times) may print anything, but not on
stderr. A cell with the tag `needs-NAME` runs to its end without that library, too, but then its outputs are
not compared, and those that are stored stay.
"""

import ast
import itertools
import json
import math
import os
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

import engine
import nn
import nn.exercises

NOTEBOOKS = sorted((Path(engine.__file__).parent.parent / "notebooks").glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
ANSWERS = Path(__file__).parent / "support" / "answers"

TEXTS = ("text/plain", "text/markdown", "text/latex")
SCRUBBED = {
    r"\b0x[0-9a-f]+": "0x…",  # an address
    r" *\d[\d.,]* (ns|µs|ms|s|seconds)\b": r" … \1",
}
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\binf\b|\bnan\b)")
NOT_DONE = "not done yet"  # what a check prints before a student writes
PASSED = re.compile(r"\b(right|passed)\b")
NOT_PASSED = re.compile(r"\bnot (done|yet|right|passed)\b")
TINY = 1e-10  # smaller numbers are rounding errors

KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def scrubbed(text: str) -> str:
    for pattern, instead in SCRUBBED.items():
        text = re.sub(pattern, instead, text)
    return text


def outputs(cell) -> list[tuple[str, str]]:
    """Return the outputs of a cell in order: the kind of each, and its text if it is to be compared."""
    shown = []
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            shown.append((output["name"], scrubbed(output["text"])))
        else:
            for kind, text in sorted(output["data"].items()):
                shown.append((kind, scrubbed(text) if kind in TEXTS else ""))
    return shown


def agree(one: str, other: str) -> bool:
    """Return whether two texts are equal, except for the last digits of numbers."""
    one, other = " ".join(one.split()), " ".join(other.split())  # the width of a column may differ by a minus
    pairs = zip(NUMBER.findall(one), NUMBER.findall(other))
    near = (a == b or math.isclose(float(a), float(b), rel_tol=1e-9, abs_tol=TINY) for a, b in pairs)
    return NUMBER.split(one) == NUMBER.split(other) and all(near)


def lacks_library(cell) -> bool:
    """Return whether a library that a cell names in a tag `needs-NAME` is not installed."""
    needed = [tag for tag in cell["metadata"].get("tags", ()) if tag.startswith("needs-")]
    return any(find_spec(tag.removeprefix("needs-")) is None for tag in needed)


def differences(stored, now) -> list[str]:
    """Return a description of each cell whose outputs changed."""
    found = []
    for i, (before, after) in enumerate(zip(stored["cells"], now["cells"], strict=True)):
        if before["cell_type"] != "code" or "nocompare" in before["metadata"].get("tags", ()):
            continue
        if lacks_library(before):
            continue
        old, new = outputs(before), outputs(after)
        same = [kind for kind, _ in old] == [kind for kind, _ in new]
        if not same or not all(agree(a, b) for (_, a), (_, b) in zip(old, new)):
            found.append(f"cell {i}\n{''.join(before['source'])}\n  stored: {old}\n  now:    {new}")
    return found


def printed(cell) -> str:
    """Return the text that a cell shows."""
    texts = (
        output["text"] if output["output_type"] == "stream" else output["data"].get("text/plain", "")
        for output in cell["outputs"]
    )
    return "\n".join("".join(text) for text in texts)


def exercises(cells) -> dict[str, int]:
    """Return the place of each cell in which a student writes, by the name in its tag `exercise-NAME`."""
    return {
        tag.removeprefix("exercise-"): i
        for i, cell in enumerate(cells)
        for tag in cell["metadata"].get("tags", ())
        if tag.startswith("exercise-")
    }


def answers(path: Path) -> dict[str, str]:
    """Return the right answers to the exercises of a notebook, by name."""
    file = ANSWERS / f"{path.stem}.py"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    _, *parts = re.split(r"^# exercise-(.+)\n", text, flags=re.MULTILINE)
    return {name: source.strip() for name, source in zip(parts[::2], parts[1::2])}


def execute(notebook, folder: Path) -> None:
    """Run a notebook in a process of its own, with a folder for the files that it writes."""
    import nbclient

    environment = os.environ | {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    options = {"kernel_name": "python3", "timeout": 120, "record_timing": False, "coalesce_streams": True}
    client = nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}, **options)
    client.execute(env=environment)
    shown = [kind for cell in notebook.cells if cell.cell_type == "code" for kind, _ in outputs(cell)]
    assert "stderr" not in shown


@pytest.mark.notebooks
@each_notebook
def test_a_notebook_prints_what_is_stored_in_it(path, tmp_path):
    import nbformat

    stored, now = (nbformat.read(path, as_version=4) for _ in range(2))
    execute(now, tmp_path)
    if os.environ.get("REWRITE"):
        now.metadata = KERNEL
        for before, cell in zip(stored.cells, now.cells, strict=True):
            if lacks_library(cell):
                cell.outputs = before.outputs
            for output in cell.get("outputs", ()):
                if "data" in output and "text/plain" in output.data:
                    output.data["text/plain"] = scrubbed(output.data["text/plain"])
        engine.write_whole(path, nbformat.writes(now) + "\n")  # another process may be reading the old one
        stored = now
    assert not (wrong := differences(stored, now)), "\n\n".join(wrong)


@pytest.mark.notebooks
@each_notebook
def test_the_checks_of_a_notebook_pass_with_right_answers(path, tmp_path):
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    places = exercises(notebook.cells)
    if not places:
        pytest.skip("its exercises have no cells")
    for name, answer in answers(path).items():
        notebook.cells[places[name]].source = answer
    execute(notebook, tmp_path)
    for name, place in places.items():
        text = printed(notebook.cells[place + 2])
        assert PASSED.search(text), f"{name}: {text}"
        assert not NOT_PASSED.search(text), f"{name}: {text}"
    for cell in notebook.cells:
        assert cell.cell_type != "code" or NOT_DONE not in printed(cell)


# These need no kernel, so they always run.


def test_a_cell_is_not_compared_where_its_library_is_missing():
    def cell(text, *tags):
        output = {"output_type": "stream", "name": "stdout", "text": text}
        return {"cell_type": "code", "metadata": {"tags": tags}, "source": "", "outputs": [output]}

    for tags, changed in ([], 1), (["needs-json"], 1), (["needs-no_such_library"], 0):
        one, other = ({"cells": [cell(text, *tags)]} for text in ("one", "other"))
        assert len(differences(one, other)) == changed


def cells(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


@each_notebook
def test_a_question_comes_before_each_code_cell(path):
    every = cells(path)
    assert every[0]["cell_type"] == "markdown"
    for before, cell in itertools.pairwise(every):
        if cell["cell_type"] == "code":
            assert before["cell_type"] == "markdown"
            assert "?" in "".join(before["source"])


@each_notebook
def test_a_notebook_ends_with_three_exercises(path):
    every = cells(path)
    start = next(i for i, cell in enumerate(every) if "## Three exercises\n" in "".join(cell["source"]))
    last = every[start + 1 :]
    if not last:  # a list of exercises without cells
        _, _, listed = "".join(every[start]["source"]).partition("## Three exercises\n")
        assert re.findall(r"^(\d+)\. ", listed, re.MULTILINE) == ["1", "2", "3"]
        return
    assert [cell["cell_type"] for cell in last] == ["markdown", "code"] * 6
    assert "".join(every[start]["source"]).startswith("## Three exercises\n")
    for number in 1, 2, 3:
        text, cell = last[4 * number - 4 : 4 * number - 2]
        assert "".join(text["source"]).startswith(f"### {number}. ")
        assert any(tag.startswith("exercise-") for tag in cell["metadata"].get("tags", ()))


@each_notebook
def test_the_exercises_of_a_notebook_are_not_done(path):
    every = cells(path)
    for name, place in exercises(every).items():
        cell, question, check = every[place : place + 3]
        assert [cell["cell_type"], question["cell_type"], check["cell_type"]] == ["code", "markdown", "code"]
        assert not cell["outputs"], f"{name} prints something before it is done"
        assert NOT_DONE in printed(check), f"{name} is not checked in the next cell"


@each_notebook
def test_each_exercise_has_a_right_answer_that_the_notebook_does_not_show(path):
    every, right = cells(path), answers(path)
    assert list(right) == list(exercises(every))
    shown = ["".join(cell["source"]).strip() for cell in every]
    assert not set(right.values()) & set(shown)


def test_no_answers_are_left_of_a_notebook_that_is_gone():
    assert {file.stem for file in ANSWERS.glob("*.py")} <= {path.stem for path in NOTEBOOKS}


@each_notebook
def test_a_notebook_was_run_from_its_first_cell_to_its_last(path):
    counts = [cell["execution_count"] for cell in cells(path) if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_a_notebook_uses_public_names_only(path):
    source = "\n".join("".join(cell["source"]) for cell in cells(path) if cell["cell_type"] == "code")
    packages = {each.__name__: each for each in (engine, nn, nn.exercises, nn.plots, nn.textbook)}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            # _backward is micrograd's name for the step by hand; __add__ and its like are Python's
            public = node.attr == "_backward" or not re.match(r"_(?!_\w+__$)", node.attr)
            assert public, f"{node.attr} is private"
        elif isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] in packages:
            assert {alias.name for alias in node.names} <= set(packages[node.module].__all__)
        elif isinstance(node, ast.Import):
            assert not {alias.name.partition(".")[0] for alias in node.names} & set(packages)


@each_notebook
def test_a_notebook_contains_no_path_of_a_machine(path):
    whole = path.read_text(encoding="utf-8")
    assert json.loads(whole)["metadata"] == KERNEL
    assert not re.search(r"/home/|/work/|/tmp/|/Users/|site-packages|\\\\Users", whole)
    assert len(whole) < 1_000_000
