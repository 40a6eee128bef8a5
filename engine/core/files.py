"""Write a file completely or not at all."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import time
from pathlib import Path

HOUR = 3600  # seconds


def write_whole(path: str | os.PathLike[str], text: str) -> Path:
    """Write ``text`` to ``path`` in UTF-8, and return the path; if that fails, the old file stays.

    The text is written to a new file with a random name in the same folder; then that file replaces the old
    one. A link at ``path`` stays a link: the file that it points to is replaced. A killed process may leave
    such a new file behind; a later call removes it when it is an hour old.

    Raises:
        TypeError: ``path`` is not a path.
        ValueError: ``text`` contains half of a surrogate pair, which UTF-8 cannot encode.
        OSError: the file cannot be written, or ``path`` is a folder or a device.

    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_whole(os.path.join(folder, "note.txt"), "x = 3")
    ...     path.read_text(), os.listdir(folder)
    ('x = 3', ['note.txt'])
    """
    content = text.encode()  # an error here comes before any file is opened
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_file():
        raise OSError(errno.EINVAL, "expected a file, or nothing, to write to", str(place))
    _remove_old_parts(place)
    part = place.with_name(f".{place.name}.{os.urandom(8).hex()}.part")
    try:
        with open(part, "xb") as file:  # x: a file or a link of that name is an error
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, place)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    return Path(path)


def _remove_old_parts(place: Path) -> None:
    """Remove the part files of killed processes: those older than an hour, as others may be in use."""
    for part in place.parent.glob(f".{glob.escape(place.name)}.*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.lstat().st_mtime > HOUR:
                part.unlink()
