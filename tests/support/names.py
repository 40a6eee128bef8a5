"""What a parametrised test is called: in ASCII, and the same in every run and in every collection."""

import re


def name(it, longest=40):
    """A text, or whatever it is, without what pytest would escape, and without its address."""
    text = it if isinstance(it, str) else repr(it)
    return re.sub(r"[^ -~]|\\", "?", re.sub(r" at 0x.*", "", text))[:longest]
