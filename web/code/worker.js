// Python, in a worker of its own, so that the page stays usable and can end it.
// The page sends { kind: "load", sizes }, { kind: "run", code } and { kind: "check", name, code }.

const MOST = 5000; // printed lines of a run that are shown
const OFTEN = 50; // milliseconds between two messages with printed lines

let printed = [];
let lines = 0;
let sent = 0;

/** Keep a printed line for the next message: one message a line would keep the page too busy to stop a run. */
function print(line) {
  lines += 1;
  if (lines <= MOST) printed.push(line);
  if (lines === MOST + 1) printed.push("… further lines are left out");
  if (performance.now() - sent > OFTEN) flush();
}

function flush() {
  if (printed.length) postMessage({ kind: "text", text: printed.join("\n") });
  printed = [];
  sent = performance.now();
}

function send(kind, text, more = {}) {
  flush();
  postMessage({ kind, text, ...more });
}

/** Report how much of the files has arrived, of all that Python needs. */
function countBytes(total) {
  const original = self.fetch;
  let loaded = 0;
  self.fetch = async (...request) => {
    const response = await original(...request);
    if (!response.ok || !response.body) return response;
    const counter = new TransformStream({
      transform(chunk, controller) {
        loaded += chunk.length;
        postMessage({ kind: "progress", share: Math.min(1, loaded / total) });
        controller.enqueue(chunk);
      },
    });
    const { status, statusText, headers } = response;
    return new Response(response.body.pipeThrough(counter), { status, statusText, headers });
  };
}

async function load(total) {
  countBytes(total);
  const parts = Promise.all([
    import("./pyodide/pyodide.mjs"),
    import("./viz.js").then(({ instance }) => instance()),
    fetch("chalkgrad.zip").then((response) => response.arrayBuffer()),
  ]);
  const [{ loadPyodide }, viz, packages] = await parts;
  const python = await loadPyodide({
    indexURL: new URL("pyodide/", self.location).href,
    stdout: print,
    stderr: print,
  });
  python.unpackArchive(packages, "zip", { extractDir: "/chalkgrad" });
  python.runPython("import sys; sys.path.insert(0, '/chalkgrad')");
  const show = (kind, text) => {
    if (kind !== "file") return send(kind, text);
    send(kind, text.split("/").pop(), { bytes: python.FS.readFile(text) });
  };
  const draw = (dot, format) => viz.renderString(dot, { format });
  return python.pyimport("session").Session(show, draw);
}

let session;

self.onmessage = async ({ data }) => {
  lines = 0;
  try {
    if (data.kind === "load") session = await load(data.total);
    if (data.kind === "run") session.run(data.code);
    if (data.kind === "check") session.check(data.name, data.code);
    send("done", data.kind);
  } catch (error) {
    send("fatal", String(error.message ?? error));
  }
};
