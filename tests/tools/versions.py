"""Run the core's tests on the oldest and the newest Python that are available.

The oldest gets the lowest versions of the packages that pyproject.toml allows, the newest the newest ones.
uv downloads missing Pythons. If it cannot, the installed ones are used, and a line names those that were left
out.
"""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
OLDEST, NEWEST = (3, 11), (3, 14)  # the versions to download
LOWEST_BUILT_FOR = (3, 12)  # for later Pythons, the lowest versions of the packages have no wheels
TESTS = ["engine", "nn", "tests/engine", "tests/nn/model", "tests/nn/training", "tests/nn/textbook"]
IN_A_BROWSER = "tests/engine/view/test_player.py"  # what runs there is not Python
VERSION = "import sys, sysconfig; print(*sys.version_info, sysconfig.get_config_var('Py_GIL_DISABLED') or 0)"


def uv(*arguments, **options):
    """Run uv and capture its output."""
    return subprocess.run([UV, *arguments], cwd=ROOT, text=True, capture_output=True, **options)


def pythons():
    """Return the released CPythons that are installed, by version: those of uv, of pyenv and on PATH."""
    listed = json.loads(uv("python", "list", "--only-installed", "--output-format", "json").stdout or "[]")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = {}
    paths = [python["path"] for python in listed]
    for path in [*paths, *pyenv.glob("versions/*/bin/python"), sys.executable]:
        answer = subprocess.run([path, "-c", VERSION], text=True, capture_output=True).stdout.split()
        if len(answer) == 6 and answer[3] == "final" and answer[5] == "0":  # neither beta nor free-threaded
            found.setdefault(tuple(map(int, answer[:3])), str(path))
    return {version: path for version, path in found.items() if version >= OLDEST}


def name(version):
    return ".".join(map(str, version))


def fetch():
    """Download the oldest and the newest Python by uv, if they are not installed."""
    here = {version[:2] for version in pythons()}
    missing = [name(version) for version in (OLDEST, NEWEST) if version not in here]
    if not missing:
        return
    quick = {**os.environ, "UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "20"}
    try:
        fetched = uv("python", "install", "--no-bin", *missing, env=quick, timeout=120).returncode == 0
    except subprocess.TimeoutExpired:
        fetched = False
    print(
        f"Python {' and '.join(missing)}:",
        "downloaded" if fetched else "cannot be downloaded here",
        flush=True,
    )


def run(what, python, resolution):
    """Run the tests in an environment of their own; return whether they passed."""
    home = ROOT / ".venv" / "versions" / resolution
    inside = home / "bin" / "python"
    # an old package may call functions that a newer one has deprecated
    warnings = ["-W", "default::DeprecationWarning"] if resolution == "lowest-direct" else []
    steps = (
        [UV, "venv", "-q", "--clear", "--python", python, home],
        [UV, "pip", "install", "-q", "--python", inside, "--resolution", resolution, "-e", ".[test]"],
        [
            inside,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            *warnings,
            f"--ignore={IN_A_BROWSER}",
            *TESTS,
        ],
    )
    for step in steps:
        done = subprocess.run(step, cwd=ROOT, text=True, capture_output=True, env={**os.environ, "CI": "1"})
        if done.returncode:
            print(f"{done.stdout}{done.stderr}\n{what}: failed", flush=True)
            return False
    print(f"{what}: {done.stdout.strip().splitlines()[-1]}", flush=True)
    return True


def main():
    """Run both at once; exit with 1 if a test failed in either."""
    fetch()
    known = pythons()
    oldest, newest = min(known), max(known)
    jobs = [(f"Python {name(newest)}, newest packages", known[newest], "highest")]
    if oldest[:2] <= LOWEST_BUILT_FOR:
        jobs.append((f"Python {name(oldest)}, lowest packages", known[oldest], "lowest-direct"))
    else:
        print("the lowest packages are left out: no installed Python is old enough for them")
    with ThreadPoolExecutor() as pool:
        sys.exit(not all(list(pool.map(lambda job: run(*job), jobs))))


if __name__ == "__main__":
    main()
