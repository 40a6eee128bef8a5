"""Names of parametrised tests, in ASCII and the same in every run."""

import re


def name(it, longest=40):
    """Return a text, or the repr of an object, without addresses and characters that pytest would escape."""
    text = it if isinstance(it, str) else repr(it)
    return re.sub(r"[^ -~]|\\", "?", re.sub(r" at 0x.*", "", text))[:longest]
