"""The check of a built site finds links that lead nowhere, and what a page loads from elsewhere."""

import runpy
from pathlib import Path

import pytest

import engine

ROOT = Path(engine.__file__).parent.parent
check = runpy.run_path(str(ROOT / "docs/site/check.py"))["check"]


def faults(folder, body, **files):
    (folder / "index.html").write_text(body, encoding="utf-8")
    for name, text in files.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return check(folder)


@pytest.mark.parametrize(
    "body",
    [
        '<script src="https://example.org/a.js"></script>',
        '<img src="//example.org/a.png">',
        '<img srcset="https://example.org/a.png 2x">',
        '<link rel="stylesheet" href="https://example.org/a.css">',
        '<iframe src="http://example.org"></iframe>',
        '<iframe srcdoc="<img src=&quot;https://example.org/a.png&quot;>"></iframe>',
        "<style>p { background: url('https://example.org/a.png') }</style>",
        "<style>@import 'https://example.org/a.css';</style>",
        '<p style="background: url(https://example.org/a.png)">',
        '<svg><image href="https://example.org/a.png"/></svg>',
    ],
)
def test_what_is_loaded_from_elsewhere_is_found(tmp_path, body):
    [fault] = faults(tmp_path, body)
    assert fault.startswith("index.html loads ")
    assert "example.org" in fault


def test_a_style_sheet_that_loads_from_elsewhere_is_found(tmp_path):
    (tmp_path / "a.css").write_text("@font-face { src: url(https://example.org/f.woff) }", encoding="utf-8")
    assert check(tmp_path) == ["a.css loads https://example.org/f.woff"]


@pytest.mark.parametrize(
    ("link", "fault"),
    [("b.html", "leads to no file"), ("a.html#c", "leads to no anchor"), ("#d", "leads to no anchor")],
)
def test_a_broken_link_is_found(tmp_path, link, fault):
    assert faults(tmp_path, f'<a href="{link}">', a='<p id="b">') == [f"index.html: {link} {fault}"]


def test_a_picture_that_is_missing_is_found(tmp_path):
    assert faults(tmp_path, '<img src="a.png">') == ["index.html: a.png leads to no file"]


@pytest.mark.parametrize(
    "body",
    [
        '<a href="https://example.org">',
        '<a href="a.html#b">',
        '<a href="a.html">',
        '<a href="#top">',
        '<a href=".">',
        '<img src="data:image/png;base64,">',
    ],
)
def test_a_link_to_another_site_or_within_this_one_is_no_fault(tmp_path, body):
    assert faults(tmp_path, body, a='<p id="b">') == []
