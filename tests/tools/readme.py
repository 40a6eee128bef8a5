"""Run the first Python example of a page and compare its output: ``python readme.py README.md``."""

import doctest
import re
import sys
from pathlib import Path


def first_example(page: str) -> str:
    """Return the text of the first block of Python on a Markdown page.

    Raises:
        ValueError: there is none.
    """
    block = re.search(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    if not block or ">>>" not in block[1]:
        raise ValueError("the page has no Python example")
    return block[1]


def main(path: str) -> None:
    """Exit with 1 if the example does not print what the page shows."""
    source = first_example(Path(path).read_text(encoding="utf-8"))
    test = doctest.DocTestParser().get_doctest(source, {}, path, path, 0)
    results = doctest.DocTestRunner().run(test)
    import engine

    print(f"{path}: {results.attempted} examples, {results.failed} failed, with {engine.__file__}")
    sys.exit(bool(results.failed))


if __name__ == "__main__":
    main(sys.argv[1])
