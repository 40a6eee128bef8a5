"""An engine that is not the one of chalkgrad is refused when nn is imported."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

import engine
import nn
from nn import parts

ROOT = Path(nn.__file__).parent.parent


def imported(*paths, statement="import nn"):
    """Return what an import prints in a new process, with these folders first on the path."""
    code = f"import sys; sys.path[:0] = {[*map(str, paths)]}; {statement}"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
    return done.returncode, done.stderr.rstrip().split("\n")[-1]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """Return a folder with copies of engine and nn."""
    folder = tmp_path_factory.mktemp("copy")
    for package in ("engine", "nn"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_the_two_packages_and_the_distribution_have_one_version():
    project = ROOT / "pyproject.toml"
    if not project.exists():
        pytest.skip("installed from a wheel")
    assert (
        engine.__version__ == parts.VERSION == tomllib.loads(project.read_text("utf-8"))["project"]["version"]
    )


def test_the_parts_belong_together(copy):
    assert imported(copy) == (0, "")


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("engine/__init__.py", "", "not of chalkgrad"),
        ("engine.py", "Value = float", "not of chalkgrad"),
        ("engine/__init__.py", "__version__ = '3.1'", "version 3.1"),
        ("engine/__init__.py", "import no_such_module", "No module named 'no_such_module'"),
    ],
)
def test_a_foreign_engine_is_named_with_both_places(copy, tmp_path, name, text, found):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    code, message = imported(tmp_path, copy)
    assert code == 1
    assert message.startswith("ImportError: nn in ")
    assert str(copy / "nn") in message
    assert found in message
    if "no_such" not in text:
        assert str(path) in message


def test_a_copy_of_our_engine_in_another_place_is_refused(copy, tmp_path):
    shutil.copytree(copy / "engine", tmp_path / "engine")
    code, message = imported(tmp_path, copy)
    assert code == 1
    assert str(tmp_path / "engine") in message
    assert str(copy / "nn") in message


def test_an_engine_that_overwrote_ours_is_refused(copy, tmp_path):
    for package in ("engine", "nn"):
        shutil.copytree(copy / package, tmp_path / package)
    (tmp_path / "engine" / "__init__.py").write_text("from engine.core.value import Value")
    code, message = imported(tmp_path)
    assert code == 1
    assert "needs the engine of chalkgrad" in message


def test_a_folder_without_code_is_named():
    with pytest.raises(ImportError, match="found engine in /somewhere/engine"):
        parts.check(SimpleNamespace(__path__=["/somewhere/engine"], __file__=None))


def test_a_missing_engine_is_reported(copy, tmp_path):
    shutil.copytree(copy / "nn", tmp_path / "nn")
    code, message = imported(tmp_path, statement="sys.modules['engine'] = None; import nn")
    assert code == 1
    assert "needs the package engine of chalkgrad" in message
