"""Build the page "your own code" into a folder: python web/code/build.py OUT.

Python (Pyodide), Graphviz (viz-js) and the editor (CodeMirror) come from npm, in the versions of
package-lock.json; chalkgrad comes from this repository, and the package graphviz from this environment.
"""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
LOCK = "pyodide-lock.json"
OLDEST = (1980, 1, 1, 0, 0, 0)  # the time of every file in the archive, so that two builds are the same


def install():
    """Install the packages of package-lock.json, unless they are there.

    Returns:
        The folder of the packages.

    Raises:
        SystemExit: there is no npm, or it fails.
    """
    modules, lock = HERE / "node_modules", HERE / "package-lock.json"
    installed = modules / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        npm = shutil.which("npm")
        if npm is None:
            sys.exit(
                "the page with your own code is built by npm, and none was found (Debian: apt install npm)"
            )
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        if subprocess.run(command, cwd=HERE).returncode:
            sys.exit(f"npm could not install the packages of {lock.relative_to(ROOT)}")
        installed.touch()
    return modules


def archive(path):
    """Write the Python packages that the page imports: engine, nn, graphviz, and the session of the page."""
    try:
        import graphviz
    except ImportError:
        sys.exit("the page with your own code contains the package graphviz: pip install 'chalkgrad[draw]'")
    packages = [ROOT / "engine", ROOT / "nn", Path(graphviz.__file__).parent]
    files = [(file, package.parent) for package in packages for file in sorted(package.rglob("*"))]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for file, parent in [*files, (HERE / "session.py", HERE)]:
            if file.is_file() and "__pycache__" not in file.parts:
                name = zipfile.ZipInfo(file.relative_to(parent).as_posix(), OLDEST)
                name.compress_type = zipfile.ZIP_DEFLATED
                packed.writestr(name, file.read_bytes())


def content():
    """Return the examples and the exercises, for the list of the page."""
    sys.path.insert(0, str(ROOT))
    from nn.exercises import exercises

    examples = []
    for file in sorted((HERE / "examples").glob("*.py")):
        code = file.read_text(encoding="utf-8")
        title = code.partition("\n")[0].strip('".')
        examples.append({"name": file.stem.partition("_")[2], "title": title, "code": code})
    fields = ("number", "name", "title", "stub", "hints", "solution")
    return {
        "examples": examples,
        "exercises": [{field: getattr(e, field) for field in fields} for e in exercises()],
    }


def build(out):
    """Build the page into a folder, which is emptied first."""
    modules = install()
    shutil.rmtree(out, ignore_errors=True)
    python = out / "pyodide"
    python.mkdir(parents=True)
    for name in PYODIDE:
        shutil.copyfile(modules / "pyodide" / name, python / name)
    lock = json.loads((modules / "pyodide" / LOCK).read_text(encoding="utf-8"))
    (python / LOCK).write_text(
        json.dumps(lock | {"packages": {}}), encoding="utf-8"
    )  # the page has no others
    shutil.copyfile(modules / "@viz-js/viz/dist/viz.js", out / "viz.js")
    for name in ("index.html", "style.css", "worker.js"):
        shutil.copyfile(HERE / name, out / name)
    archive(out / "chalkgrad.zip")
    bundle = [modules / ".bin" / "esbuild", HERE / "page.js", "--bundle", "--minify", "--format=esm"]
    if subprocess.run([*bundle, "--log-level=warning", f"--outfile={out / 'page.js'}"]).returncode:
        sys.exit("esbuild could not bundle the page")
    fetched = [out / "chalkgrad.zip", *(python / name for name in PYODIDE[2:])]  # whose bytes are counted
    total = sum(path.stat().st_size for path in fetched)
    told = content() | {"total": total, "megabytes": round(total / 1e6)}
    told["playground"] = (out.parent / "playground" / "index.html").exists()
    (out / "content.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    build(Path(sys.argv[1]).resolve())
