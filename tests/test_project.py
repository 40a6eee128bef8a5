"""Pages, workflows, Makefile and pyproject.toml agree with each other and with the existing files."""

import importlib
import re
import runpy
import tomllib
from pathlib import Path

import pytest

import engine

ROOT = Path(engine.__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
YAML = [*WORKFLOWS, ROOT / ".pre-commit-config.yaml"]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def text(path):
    return path.read_text(encoding="utf-8")


# Pages


@each_page
def test_links_lead_to_files_that_exist(page):
    links = re.findall(r"\]\(([^)#]+)\)", text(page))
    local = [link for link in links if not link.startswith("https://")]
    assert [link for link in local if not (page.parent / link).exists()] == []


@each_page
def test_a_page_shows_no_directive_of_doctest(page):
    assert not re.search(r"doctest:|<BLANKLINE>", text(page))


def test_the_first_example_of_the_readme_has_eight_lines():
    first_example = runpy.run_path(str(ROOT / "tests/tools/readme.py"))["first_example"]
    assert first_example(text(ROOT / "README.md")).count(">>> ") == 8


def test_the_description_of_the_package_is_the_first_sentence_of_the_readme():
    sentence = " ".join(text(ROOT / "README.md").split("\n\n")[1].split()).partition(". ")[0]
    description = PYPROJECT["project"]["description"].removesuffix(".")
    assert sentence == f"chalkgrad is {description[0].lower()}{description[1:]}"


def test_the_readme_states_the_length_of_each_file_of_the_core():
    stated = re.findall(r"\]\((engine/core/\w+\.py)\), (\d+) lines", text(ROOT / "README.md"))
    assert [Path(file).stem for file, _ in stated] == ["ops", "op", "value", "backward"]
    for file, lines in stated:
        assert abs(len(text(ROOT / file).splitlines()) - int(lines)) <= 10, file


def test_pictures_of_pages_are_small():
    pictures = [*ROOT.glob("docs/pictures/*"), *ROOT.glob("notebooks/pictures/*")]
    assert pictures
    assert {path.name: path.stat().st_size for path in pictures if path.stat().st_size > 80_000} == {}


# Workflows


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.name)
def test_a_file_of_yaml_is_well_formed(path):
    """Each line is a key, a list item, or both; only under a line without a value is it indented more."""
    indents = [0]
    opens = False
    for line in text(path).splitlines():
        if not line.strip():
            continue
        found = re.fullmatch(r"( *)((?:- )?)(?:([\w-]+):(?: (.+))?|(.+))", line)
        assert found, line
        spaces, dash, key, value, item = found.groups()
        assert key or dash, line
        assert len(re.findall(r"[\[{]", line)) == len(re.findall(r"[\]}]", line)), line
        assert line.count('"') % 2 == 0, line
        indent = len(spaces)
        if indent > indents[-1]:
            assert opens, line
            indents.append(indent)
        while indent < indents[-1]:
            indents.pop()
        assert indent == indents[-1], line
        if dash and key:
            indents.append(indent + 2)
        opens = bool(key) and value is None and item is None


def targets():
    return set(re.findall(r"^([a-z]+):", text(ROOT / "Makefile"), re.MULTILINE))


@each_workflow
def test_a_workflow_calls_only_make_targets_that_exist(path):
    assert set(re.findall(r"\bmake ([a-z]+)", text(path))) <= targets()
    assert "run:" in text(path)


def test_ci_and_pages_call_only_make_targets_that_exist():
    called = set(re.findall(r"^make ([a-z]+)", text(ROOT / ".ci/run"), re.MULTILINE))
    for page in PAGES:
        called |= set(re.findall(r"(?:`|^ {4})make ([a-z]+)", text(page), re.MULTILINE))
    assert called
    assert called <= targets()


def test_make_help_lists_every_target():
    helped = re.findall(r"^([a-z]+):.*  ## \w", text(ROOT / "Makefile"), re.MULTILINE)
    assert set(helped) == targets()
    [phony] = re.findall(r"^\.PHONY: (.*)", text(ROOT / "Makefile"), re.MULTILINE)
    assert set(phony.split()) == targets()


@each_workflow
def test_a_workflow_names_only_files_that_exist(path):
    paths = re.findall(r"\b(?:engine|nn|tests|benchmarks)/[\w./]+", text(path))
    assert [file for file in paths if not (ROOT / file).exists()] == []


def test_ci_runs_every_python_that_the_package_names():
    [versions] = re.findall(r"python: \[(.*)\]", text(ROOT / ".github/workflows/ci.yml"))
    prefix = "Programming Language :: Python :: "
    named = [c.removeprefix(prefix) for c in PYPROJECT["project"]["classifiers"] if c.startswith(prefix)]
    assert re.findall(r"[\d.]+", versions) == [version for version in named if "." in version]
    assert PYPROJECT["project"]["requires-python"] == f">={re.findall(r'[0-9.]+', versions)[0]}"


# pyproject.toml and the Makefile


def test_paths_in_pyproject_and_makefile_exist():
    tool = PYPROJECT["tool"]
    mutmut = tool["mutmut"]
    paths = [
        *tool["pytest"]["ini_options"]["testpaths"], *tool["coverage"]["run"]["omit"], *tool["mypy"]["files"],
        *tool["basedpyright"]["include"], *mutmut["only_mutate"], *mutmut["also_copy"],
        *mutmut["pytest_add_cli_args_test_selection"],
        *re.findall(r"(?:tests|benchmarks)/[\w./]+\.py", text(ROOT / "Makefile")),
    ]  # fmt: skip
    for path in paths:
        file, _, test = path.partition("::")
        found = list(ROOT.glob(file))
        assert found, path
        assert not test or f"def {test}(" in text(found[0]), path


def test_every_extra_that_the_makefile_installs_exists():
    installed = set(re.findall(r"\.venv/([a-z]+)\.installed", text(ROOT / "Makefile")))
    assert installed
    assert installed <= set(PYPROJECT["project"]["optional-dependencies"])


def test_the_command_of_the_package_can_be_imported():
    module, _, function = PYPROJECT["project"]["scripts"]["chalkgrad"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))
