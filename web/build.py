"""Build the playground and the page "your own code": python web/build.py OUT writes both into that folder."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main(out):
    """Build both; the page with code links to the playground, which comes first."""
    for script, target in (
        ("playground/build.py", out / "playground" / "index.html"),
        ("code/build.py", out / "code"),
    ):
        if (HERE / script).exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run([sys.executable, HERE / script, target], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
