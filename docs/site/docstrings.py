r"""Turn a docstring into reStructuredText: its formulas are plain text there.

>>> print("\n".join(to_lines(["Return w*x, as ``w * x``:", "", "    y = w*x"])))
Return w\*x, as ``w * x``:
<BLANKLINE>
::
<BLANKLINE>
    y = w*x

napoleon would take what stands before a colon in "Returns:" for a type, so that section becomes a field:

>>> print("\n".join(to_lines(["Returns:", "    A list: one", "    for each x."])))
:returns:
    A list: one
    for each x.
"""

import re

LITERAL = re.compile(r"(``.+?``|`[^`]+`)")


def escape(line):
    r"""Return a line in which ``*`` and ``|`` stand for themselves, outside of code.

    >>> print(escape("|w| * x, ``w * x`` and w_"))
    \|w\| \* x, ``w * x`` and w\_
    """
    parts = LITERAL.split(line)
    parts[::2] = [re.sub(r"([*|]|(?<=\w)_(?!\w))", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def to_lines(lines):
    r"""Return the lines: examples and indented formulas stay as they are, the rest is escaped.

    >>> to_lines([">>> 2*3", "6", "", "It is 2*3."])
    ['>>> 2*3', '6', '', 'It is 2\\*3.']
    """
    result, before, example, formula = [], None, False, False
    for line in lines:
        indented = line.startswith("    ")
        if not line.strip():
            example = False
        elif line.lstrip().startswith(">>>"):
            example = True
        elif not example and indented and before == "":
            if not formula:
                result += ["::", ""]
            formula = True
        elif not indented:
            formula = False
        result.append(":returns:" if line == "Returns:" else line if example or formula else escape(line))
        before = line.strip()
    return result


def to_rst(app, what, name, obj, options, lines):
    """Handle Sphinx's event for a docstring."""
    lines[:] = to_lines(lines)
