"""The reference has an entry for every public name, and only for names that exist."""

import importlib
import re
import runpy
from functools import reduce
from pathlib import Path

import pytest

import engine
import nn

ROOT = Path(engine.__file__).parent.parent
OPERATIONS = runpy.run_path(str(ROOT / "docs/site/operations.py"))
MODULES = {"engine": engine, "nn": nn} | {
    f"nn.{name}": importlib.import_module(f"nn.{name}") for name in ("data", "exercises", "textbook")
}


def entries():
    """Return the names that have an entry on a page, and those of the rows of the table."""
    pages = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs/reference").glob("*.md"))
    written = re.findall(r"^\.\. (?:py:(?!currentmodule)|auto)\w+:: ([\w.]+)", pages, re.MULTILINE)
    return written + [OPERATIONS["public_name"](op) for op in OPERATIONS["rows"]()]


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_an_entry(module):
    elsewhere = {"nn.Value", "nn.data.table"}  # engine.Value; get_dataset takes the names of the table
    public = {f"{module}.{name}" for name in MODULES[module].__all__}
    assert public - elsewhere - set(entries()) == set()


def test_no_name_has_two_entries():
    names = entries()
    assert sorted({name for name in names if names.count(name) > 1}) == []


@pytest.mark.parametrize("name", entries())
def test_each_entry_is_a_name_that_a_user_can_import(name):
    package, *path = name.split(".")
    reduce(getattr, path, importlib.import_module(package))


def test_every_row_of_the_table_has_an_entry():
    modules = engine.core.ops, engine.core.more_ops  # the table may have rows of other tests, too
    rows = {op for module in modules for op in vars(module).values() if isinstance(op, engine.Op)}
    assert set(OPERATIONS["rows"]()) == rows


def test_an_entry_of_an_operation_states_formula_derivatives_and_errors():
    entry = OPERATIONS["describe"](engine.ops.div)
    assert r"\frac{\partial y}{\partial b} &= \frac{-a}{b^{2}}" in entry
    assert "with the derivatives ``1 / b`` and ``-y / b``" in entry
    assert "``sqrt(-2.0)`` raises ValueError" in OPERATIONS["describe"](engine.sqrt)
    assert "no derivative at a = 0; the row takes 0 there" in OPERATIONS["describe"](engine.relu)


def test_every_page_of_the_documentation_is_in_the_contents():
    contents = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    pages = [page.relative_to(ROOT / "docs") for page in (ROOT / "docs").rglob("*.md")]
    pages = [page.with_suffix("").as_posix() for page in pages if "node_modules" not in page.parts]
    missing = [page for page in pages if not re.search(rf"^{page}$", contents, re.MULTILINE)]
    assert sorted(missing) == ["README", "index"]
