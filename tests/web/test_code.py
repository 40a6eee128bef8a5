"""The page "your own code" in a Chromium: Python runs in it, checks exercises and can be stopped."""

import gzip
import json
import time
from pathlib import Path

import pytest
from support.browser import CHROMIUM, Browser
from support.server import address, serve

import engine
from nn.exercises import exercises

SITE = Path(engine.__file__).parent.parent / "out/site"
LIMIT = 7.5e6  # bytes of all files, compressed
ENDED = "/Done|Stopped|has ended/.test(document.getElementById('status').textContent)"

pytestmark = [
    pytest.mark.site,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.skipif(not (SITE / "code").exists(), reason="make site has not built the page"),
]


class WorkerBrowser(Browser):
    """A browser that notes what workers ask for, too."""

    def __enter__(self):
        super().__enter__()
        self.call("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=True, flatten=True)
        return self

    def _next(self):
        answer = super()._next()
        if answer.get("method") == "Target.attachedToTarget":
            for number, method in (-1, "Network.enable"), (-2, "Runtime.runIfWaitingForDebugger"):
                message = {"id": number, "method": method, "sessionId": answer["params"]["sessionId"]}
                self._write.write(json.dumps(message).encode() + b"\0")
            self._write.flush()
        return answer


class Page:
    """The page in a browser."""

    def __init__(self, browser):
        self.browser = browser

    def wait(self, condition, seconds=300):
        last = time.monotonic() + seconds
        while not self.browser.run(condition):
            assert time.monotonic() < last, self.text("document.body")
            time.sleep(0.1)

    def text(self, element="document.getElementById('output')"):
        return self.browser.run(f"{element}.innerText")

    def choose(self, key):
        self.browser.run(
            "(() => { const choice = document.getElementById('choice');"
            f"choice.value = {json.dumps(key)}; choice.dispatchEvent(new Event('change')); }})()"
        )

    def write(self, code):
        """Put code into the editor by a paste, which the editor does not indent."""
        self.browser.run("document.querySelector('.cm-content').focus()")
        control_a = {"key": "a", "code": "KeyA", "windowsVirtualKeyCode": 65, "modifiers": 2}
        for kind in ("keyDown", "keyUp"):
            self.browser.call("Input.dispatchKeyEvent", type=kind, **control_a)
        self.browser.run(
            f"(() => {{ const data = new DataTransfer(); data.setData('text/plain', {json.dumps(code)});"
            "document.querySelector('.cm-content').dispatchEvent("
            "new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })); })()"
        )
        kept = "localStorage.getItem('chalkgrad code ' + document.getElementById('choice').value)"
        assert self.browser.run(kept) == code

    def click(self, button):
        self.browser.run(f"document.getElementById('{button}').click()")

    def run(self, code=None, button="run"):
        """Run the code of the editor, and return what is shown."""
        if code is not None:
            self.write(code)
        self.click(button)
        self.wait(ENDED)
        assert self.browser.errors == []
        return self.text()


@pytest.fixture(scope="module")
def page():
    with serve(SITE) as server, WorkerBrowser() as browser:
        browser.window(1280, 900)
        browser.open(address(f"{server}code/"))
        opened = Page(browser)
        opened.wait("Boolean(document.querySelector('.cm-content'))")
        yield opened
        asked = browser.requests
        assert [
            url for url in asked if "pyodide.asm.wasm" in url
        ]  # the requests of the worker are among them
        assert [url for url in asked if not url.startswith((server, f"blob:{server}"))] == []


def test_all_files_are_small():
    sizes = [len(gzip.compress(file.read_bytes())) for file in (SITE / "code").rglob("*") if file.is_file()]
    assert sum(sizes) <= LIMIT


def test_python_is_loaded_by_the_first_run_only(page):
    assert not any("wasm" in url for url in page.browser.requests)
    page.choose("example/value")
    assert page.run().splitlines()[1:] == ["∂a/∂x = -1.179672", "∂a/∂w = 0.393224", "∂a/∂b = 0.786448"]
    assert page.browser.run("document.getElementById('progress').hidden")


@pytest.mark.parametrize(
    ("example", "shown"),
    [("draw", "img[src^=data]"), ("play", ".chalkgrad svg"), ("deltas", "table")],
)
def test_an_example_shows_a_picture_or_a_table(example, shown, page):
    page.choose(f"example/{example}")
    page.run()
    assert page.browser.run(f"Boolean(document.querySelector('#output .html {shown}'))")


def test_an_explanation_and_a_training_are_shown_as_text(page):
    page.choose("example/explain")
    assert "There are 2 paths from x to a" in page.run()
    page.choose("example/train")
    assert "accuracy 100.0%" in page.run()


def test_a_player_of_the_page_steps(page):
    page.choose("example/play")
    page.run()
    page.browser.run("document.querySelector('#output .bar button:nth-of-type(4)').click()")
    page.wait("!document.querySelector('#output .sentence').innerText.startsWith('Before')", 5)


def test_a_graph_of_100_000_nodes_is_freed(page):
    code = (
        "from engine import Value, grad\nx = y = Value(0.5)\n"
        "for _ in range(50_000): y = (y + x) * 1.0\n\ny.backward(); print(x.grad)\n"
        "print(grad(y, [x]))\ndel y\nprint('freed')"
    )
    assert page.run(code).splitlines() == ["50001.0", "[50001.0]", "freed"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x = 1\n1 / 0", 'File "your code", line 2'),
        ("x = (1 +", "SyntaxError"),
        ("input()", "input() cannot wait for an answer in a page"),
        ("import threading; threading.Thread(target=print).start()", "neither threads nor processes"),
        ("import subprocess; subprocess.run(['ls'])", "neither threads nor processes"),
        ("import numpy", "neither threads nor processes"),
        (
            "from engine import *; x = Value(1.0); trace(x * x, parameters=[x]).compile('llvm')",
            "backend='python'",
        ),
        ("from engine import *; draw_dot(Value(1.0) * 2).render('p')", "only the program dot writes files"),
        ("def f(): f()\nf()", "RecursionError"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
    ],
)
def test_an_error_is_shown_with_the_readers_lines_only(code, said, page):
    shown = page.run(code)
    assert said in shown
    assert "session.py" not in shown
    assert "/chalkgrad/" not in shown


def test_a_file_that_is_written_can_be_downloaded(page):
    page.run("from engine import *; play(Value(1.0) * 2).save('mine.html'); open('note.txt', 'w').write('é')")
    links = "[...document.querySelectorAll('#output a')]"
    assert page.browser.run(f"{links}.map((link) => link.download)") == ["mine.html", "note.txt"]
    assert page.browser.run(f"fetch({links}[1].href).then((answer) => answer.text())") == "é"


def test_a_loop_that_prints_without_end_is_stopped_and_python_starts_again(page):
    page.write("while True: print('again')")
    page.click("run")
    page.wait("document.getElementById('output').innerText.includes('further lines are left out')")
    page.click("stop")
    page.wait(ENDED, 5)
    assert page.run("print(6 * 7)") == "42"


def test_a_check_says_what_is_missing_and_ends_an_endless_loop(page):
    page.choose("exercise/neuron")
    assert page.run(button="check").startswith("neuron: not done yet")
    page.click("hint")
    assert "Hint 1 of 3" in page.text()
    assert page.browser.run("document.getElementById('solution').hidden")
    shown = page.run("def neuron(w, x, b):\n    while True: pass", button="check")
    assert "endless loop: the code was stopped after 1,000,000 instructions" in shown


@pytest.mark.parametrize("exercise", exercises(), ids=lambda e: e.name)
def test_every_solution_passes_in_the_page(exercise, page):
    page.choose(f"exercise/{exercise.name}")
    assert f"{exercise.topic}: passed" in page.run(exercise.solution, button="check")
    assert not page.browser.run("document.getElementById('solution').hidden")
    assert page.browser.run("document.getElementById('choice').selectedOptions[0].text").endswith("(passed)")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(width, dark, page):
    page.browser.window(width, dark=dark)
    assert page.browser.run("document.documentElement.scrollWidth") <= width
