"""Build the playground: one HTML file with its modules, its style and the table of operations.

    python web/playground/build.py out/site/playground/index.html

The page needs no server and no network. The rows' formulas and derivatives are printed as JavaScript here,
so an operation of one argument that is added to the table becomes an activation of the playground.
"""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent.parent))  # the packages of this checkout

from engine import Op, ops  # noqa: E402
from engine.formula.javascript import JavaScriptPrinter  # noqa: E402
from engine.formula.printers import MathPrinter, Text  # noqa: E402
from engine.formula.simplify import Simplifier, TreeBuilder  # noqa: E402
from engine.formula.tree import interpret  # noqa: E402

#: The modules of the page, each after those that it imports; "rows" is generated.
MODULES = (
    "rows", "numbers", "random", "data", "engine", "textbook", "training", "state", "python", "presets",
    "picture", "sentences", "charts", "dom", "app", "neuron", "example", "trainer", "settings", "share",
    "page",
)  # fmt: skip
IMPORT = re.compile(r'^import \{ ([^}]*) \} from "\./(\w+)\.js";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:class|function|const) ([\w$]+))", re.MULTILINE)


def rows() -> str:
    """Return the module with every row of the table: its texts, its function and its derivatives."""
    printer = JavaScriptPrinter()
    found = [
        f"{json.dumps(symbol)}: {_row(op, printer)}" for symbol, op in ops.table.items() if isinstance(op, Op)
    ]
    table = ",\n".join(found)
    return f"export const rows = (() => {{\n{printer.definitions()}\nreturn {{\n{table}\n}};\n}})();"


def _row(op: Op, printer: JavaScriptPrinter) -> str:
    letters = ["a", "b"][: len(op.partials)]
    args = [Text(letter) for letter in letters]

    def partial(i: int) -> str:
        return printer.function([*letters, "y"], lambda: op.derivative(i, printer, args, Text("y")).text)

    value = printer.function(letters, lambda: op.forward(printer, args).text)
    partials = ", ".join(partial(i) for i in range(len(letters)))
    return f"{{ ...{json.dumps(_texts(op), ensure_ascii=False)}, value: {value}, partials: [{partials}] }}"


def _texts(op: Op) -> dict[str, object]:
    """Return what people read of a row: for one argument a = g(in) and g'(in) as a textbook has them."""
    if len(op.partials) == 2:
        return {"arity": 2}
    printer, place = MathPrinter(), Text("in")
    tree = op.textbook_derivative(0, Simplifier(TreeBuilder(), functions=False), ["in"], "a")
    return {
        "arity": 1,
        "formula": op.textbook(printer, [place]).text,
        "derivative": interpret(tree, printer, {"in": place, "a": Text("a")}).text,
        "kinks": [[point[0], picks[0]] for point, picks in op.kinks.items()],
    }


def script(modules: Sequence[str] = MODULES) -> str:
    """Return modules as one script: each is a function that returns what the module exports."""
    found = []
    for name in modules:
        source = rows() if name == "rows" else (FOLDER / f"{name}.js").read_text(encoding="utf-8")
        exports = ", ".join(EXPORT.findall(source))
        source = EXPORT.sub("", IMPORT.sub(r"const { \1 } = module_\2;", source))
        found.append(
            f'const module_{name} = (() => {{\n"use strict";\n{source}\nreturn {{ {exports} }};\n}})();'
        )
    return "\n".join(found)


def page() -> str:
    """Return the whole page as HTML."""
    html = (FOLDER / "page.html").read_text(encoding="utf-8")
    style = (FOLDER / "style.css").read_text(encoding="utf-8")
    return html.replace("/* style */", style).replace(
        "/* script */", script().replace("</script", r"<\/script")
    )


def main() -> None:
    """Write the page to the file that the command line names."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python web/playground/build.py OUT/index.html")
    out = Path(sys.argv[1])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
