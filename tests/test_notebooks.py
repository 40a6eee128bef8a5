"""Execute the notebooks, and compare their outputs with the stored ones.

    make notebooks               execute and compare
    REWRITE=1 make notebooks     execute and store the new outputs

Texts are compared, with numbers to nine digits, as the last digits differ between machines. Pictures are not
compared. A cell with the tag `nocompare` (such as one that shows times) may print anything, but not on
stderr.
"""

import ast
import itertools
import json
import math
import os
import re
from pathlib import Path

import pytest

import engine
import nn

NOTEBOOKS = sorted((Path(engine.__file__).parent.parent / "notebooks").glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)

TEXTS = ("text/plain", "text/markdown", "text/latex")
SCRUBBED = {
    r"\b0x[0-9a-f]+": "0x…",  # an address
    r" *\d[\d.,]* (ns|µs|ms|s|seconds)\b": r" … \1",
}
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\binf\b|\bnan\b)")
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


def differences(stored, now) -> list[str]:
    """Return a description of each cell whose outputs changed."""
    found = []
    for i, (before, after) in enumerate(zip(stored["cells"], now["cells"], strict=True)):
        if before["cell_type"] != "code" or "nocompare" in before["metadata"].get("tags", ()):
            continue
        old, new = outputs(before), outputs(after)
        same = [kind for kind, _ in old] == [kind for kind, _ in new]
        if not same or not all(agree(a, b) for (_, a), (_, b) in zip(old, new)):
            found.append(f"cell {i}\n{''.join(before['source'])}\n  stored: {old}\n  now:    {new}")
    return found


@pytest.mark.notebooks
@each_notebook
def test_a_notebook_prints_what_is_stored_in_it(path, tmp_path):
    import nbclient
    import nbformat

    stored, now = (nbformat.read(path, as_version=4) for _ in range(2))
    environment = os.environ | {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    folder = {"metadata": {"path": str(tmp_path)}}  # for the files that a notebook writes
    options = {"kernel_name": "python3", "timeout": 120, "record_timing": False, "coalesce_streams": True}
    nbclient.NotebookClient(now, resources=folder, **options).execute(env=environment)
    shown = [kind for cell in now.cells if cell.cell_type == "code" for kind, _ in outputs(cell)]
    assert "stderr" not in shown
    if os.environ.get("REWRITE"):
        now.metadata = KERNEL
        for cell in now.cells:
            for output in cell.get("outputs", ()):
                if "data" in output and "text/plain" in output.data:
                    output.data["text/plain"] = scrubbed(output.data["text/plain"])
        nbformat.write(now, path)
        stored = now
    assert not (wrong := differences(stored, now)), "\n\n".join(wrong)


# These need no kernel, so they always run.


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
    last = cells(path)[-1]
    _, heading, exercises = "".join(last["source"]).partition("## Three exercises\n")
    assert heading
    assert last["cell_type"] == "markdown"
    assert re.findall(r"^(\d+)\. ", exercises, re.MULTILINE) == ["1", "2", "3"]


@each_notebook
def test_a_notebook_was_run_from_its_first_cell_to_its_last(path):
    counts = [cell["execution_count"] for cell in cells(path) if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_a_notebook_uses_public_names_only(path):
    source = "\n".join("".join(cell["source"]) for cell in cells(path) if cell["cell_type"] == "code")
    packages = {"engine": engine, "nn": nn}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            # _backward is micrograd's name for the step by hand
            assert node.attr == "_backward" or not node.attr.startswith("_"), f"{node.attr} is private"
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
