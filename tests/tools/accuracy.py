"""Print the largest error of each row of the table, and its inputs: ``python tests/tools/accuracy.py``.

"condition" is the number of ulp by which the exact result changes when an input changes by one ulp.
"""

import sys
from pathlib import Path


def main():
    """Print the table."""
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]
    from support.accuracy import edges, name, worst

    print(f"{'row':12}{'':8}{'ulp':>10}{'condition':>12}{'absolute':>10}   at")
    for op, position in edges():
        error = worst(op, position)
        where = ", ".join(f"{x!r}" for x in error.where)
        row = f"{op.symbol:12}{name(position):8}{error.ulps:10.3g}{error.moves:12.3g}"
        print(f"{row}{float(error.absolute):10.2g}   {where}")


if __name__ == "__main__":
    main()
