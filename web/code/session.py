"""Run a reader's code in the page's Python, and send its results to the page as pairs: kind and text."""

import ast
import builtins
import linecache
import traceback
from pathlib import Path

import engine
from nn.exercises import Course, exercise

NAME = "your code"
HOME, EXERCISES = Path("/home/pyodide"), Path("/exercises")
MISSING = (
    "Python in a page has neither threads nor processes, and of packages only chalkgrad (engine and nn) and "
    "graphviz: use backend='python'."
)
LACKS = ("emscripten", "start new thread", "No module named", "pip install")


class Session:
    """The page's Python.

    Args:
        send: a function of the page, which takes the kind of a result and its text.
        draw: a function of the page, which takes DOT and a format, and returns a picture.
    """

    def __init__(self, send, draw):
        self.send = send
        engine.set_renderer(draw)
        builtins.input = no_input

    def run(self, code):
        """Run code as a script, and show the value of its last line."""
        linecache.cache[NAME] = len(code), None, code.splitlines(keepends=True), NAME
        HOME.mkdir(parents=True, exist_ok=True)
        before = files()
        space = {"__name__": "__main__", "display": self.display}
        try:
            tree = ast.parse(code, NAME)
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, NAME, "exec"), space)
            if last is not None:
                value = eval(compile(ast.Expression(last.value), NAME, "eval"), space)
                if value is not None:
                    self.display(value)
        except SystemExit as end:
            if end.code not in (None, 0):
                self.send("error", f"SystemExit: {end.code}")
        except BaseException as error:
            self.send("error", told(error))
        for path, time in files().items():
            if before.get(path) != time:
                self.send("file", str(path))

    def display(self, *values):
        """Show values as a notebook does: a picture, a table or a player where there is one."""
        for value in values:
            bundle = getattr(value, "_repr_mimebundle_", dict)() or {}
            html = bundle.get("text/html") or (getattr(value, "_repr_html_", lambda: None)())
            self.send(*(("html", html) if html else ("text", repr(value))))

    def check(self, name, code):
        """Check the solution of an exercise, and say whether it passed."""
        course, file = Course(EXERCISES), EXERCISES / exercise(name).file
        EXERCISES.mkdir(exist_ok=True)
        file.write_text(code, "utf-8")
        result = course.check(name, file)
        self.send("passed" if result.passed else "text", str(result))
        if result.picture:
            self.send("text", "The right graph of this case, step by step:")
            self.display(result.play())


def no_input(prompt=""):
    """Raise an error, as a page cannot wait for an answer."""
    raise RuntimeError("input() cannot wait for an answer in a page: write the answer into the code")


def files():
    """Return the files in the working folder, each with the time of its last change."""
    return {path: path.stat().st_mtime_ns for path in sorted(HOME.iterdir()) if path.is_file()}


def told(error):
    """Return the traceback of an error, with the lines of the reader's code only."""
    report = traceback.TracebackException.from_exception(error)
    chain = report
    while chain is not None:
        chain.stack = traceback.StackSummary.from_list([f for f in chain.stack if f.filename == NAME])
        chain = chain.__cause__ or chain.__context__
    text = "".join(report.format())
    return text + MISSING if any(lack in str(error) for lack in LACKS) else text
