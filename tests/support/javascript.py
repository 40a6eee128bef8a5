"""A Node process that runs pieces of JavaScript and returns their results."""

import json
import shutil
import subprocess

import pytest

NODE = shutil.which("node")
in_node = pytest.mark.skipif(NODE is None, reason="no Node on this machine")

# Each line is the body of a function. Its result is written as JSON; a number that JSON lacks has a name.
LOOP = """
const name = (key, x) => (typeof x === "number" && (!Number.isFinite(x) || Object.is(x, -0))
  ? { float: Object.is(x, -0) ? "-0.0" : String(x) } : x);
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  let result;
  try { result = { value: new Function(JSON.parse(line))() }; }
  catch (error) { result = { error: error.message }; }
  console.log(JSON.stringify(result, name));
});
"""


class Node:
    """A process to which `run` sends JavaScript; use it in a `with` statement."""

    def __enter__(self):
        self.process = subprocess.Popen([NODE, "-e", LOOP], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()

    def run(self, body):
        """Return what the function with this body returns; an error is returned as {"error": its message}."""
        self.process.stdin.write(json.dumps(body).encode() + b"\n")
        self.process.stdin.flush()
        result = json.loads(self.process.stdout.readline(), object_hook=_number)
        return result.get("value", result)


def _number(read):
    return float(read["float"].replace("Infinity", "inf")) if "float" in read else read
