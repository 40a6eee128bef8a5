// The page: which code is open, what its buttons do, and what the worker with Python answers.

import { createEditor } from "./editor.js";

const at = (id) => document.getElementById(id);
const content = await (await fetch("content.json")).json();
const output = at("output");

// What a reader has written, and which exercises have passed, stay in this browser.

const kept = {
  get: (key) => {
    try {
      return localStorage.getItem(`chalkgrad code ${key}`);
    } catch {
      return null; // a browser may refuse to keep anything
    }
  },
  set: (key, text) => {
    try {
      localStorage.setItem(`chalkgrad code ${key}`, text);
    } catch {
      // then it lasts until the page is closed
    }
  },
};
const passed = new Set(JSON.parse(kept.get("passed") ?? "[]"));

// The choice: examples and exercises.

const items = new Map();
for (const example of content.examples) items.set(`example/${example.name}`, { ...example, first: example.code });
for (const exercise of content.exercises) {
  items.set(`exercise/${exercise.name}`, { ...exercise, first: exercise.stub, exercise: true });
}

function title(item) {
  return item.exercise ? `${item.number}. ${item.title}${passed.has(item.name) ? " (passed)" : ""}` : item.title;
}

function listItems() {
  const groups = [["Examples", false], ["Exercises", true]].map(([label, exercise]) => {
    const group = document.createElement("optgroup");
    group.label = label;
    for (const [key, item] of items) {
      if (Boolean(item.exercise) === exercise) group.append(new Option(title(item), key, false, key === current));
    }
    return group;
  });
  at("choice").replaceChildren(...groups);
}

let current = "";
let hints = 0;

const editor = createEditor(at("editor"), () => start("run"), (text) => kept.set(current, text));

function open(key) {
  current = items.has(key) ? key : items.keys().next().value;
  const item = items.get(current);
  const text = kept.get(current) ?? item.first;
  editor.text = text;
  hints = 0;
  for (const id of ["check", "hint"]) at(id).hidden = !item.exercise;
  at("run").classList.toggle("first", !item.exercise);
  at("solution").hidden = !item.exercise || !passed.has(item.name);
  kept.set("current", current);
  listItems();
}

// The results.

function show(kind, text) {
  const last = output.lastElementChild;
  if (kind === "text" && last?.className === "text" && last.textContent.length < 1e5) {
    last.textContent += `\n${text}`;
  } else {
    const element = document.createElement(kind === "html" ? "div" : "pre");
    element.className = kind;
    if (kind === "html") {
      element.innerHTML = text;
      for (const old of element.querySelectorAll("script")) {
        const script = document.createElement("script"); // one that innerHTML has made does not run
        script.textContent = old.textContent;
        old.replaceWith(script);
      }
    } else {
      element.textContent = text;
    }
    output.append(element);
  }
  while (output.childElementCount > 200) output.firstElementChild.remove();
}

function offer(name, bytes) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes]));
  link.download = name;
  link.textContent = `Download ${name}`;
  const line = document.createElement("p");
  line.append(link);
  output.append(line);
}

// Python: a worker, loaded when it is first needed, and ended by the stop button.

let worker = null;
let waiting = null;

function say(text) {
  at("status").textContent = text;
}

function setBusy(busy) {
  for (const id of ["run", "check"]) at(id).disabled = busy;
  at("stop").disabled = !busy;
}

function loadPython() {
  worker = new Worker("worker.js", { type: "module" });
  worker.onmessage = ({ data }) => answers[data.kind](data);
  worker.onerror = (event) => answers.fatal({ text: event.message || "its files did not arrive" });
  at("progress").hidden = false;
  at("progress").value = 0;
  say(`Loading Python (${content.megabytes} MB, once) …`);
  worker.postMessage({ kind: "load", total: content.total });
}

function end() {
  worker?.terminate();
  worker = waiting = null;
  at("progress").hidden = true;
  setBusy(false);
}

const answers = {
  progress: ({ share }) => {
    at("progress").value = share;
    if (share === 1) {
      at("progress").removeAttribute("value"); // the rest takes some seconds; their number is not known
      say("Starting Python …");
    }
  },
  text: ({ text }) => show("text", text),
  html: ({ text }) => show("html", text),
  error: ({ text }) => show("error", text),
  file: ({ text, bytes }) => offer(text, bytes),
  passed: ({ text }) => {
    show("passed", text);
    passed.add(items.get(current).name);
    kept.set("passed", JSON.stringify([...passed]));
    at("solution").hidden = false;
    listItems();
  },
  done: ({ text }) => {
    if (text === "load") {
      at("progress").hidden = true;
      say("Running …");
      worker.postMessage(waiting);
    } else {
      say("Done.");
      setBusy(false);
    }
  },
  fatal: ({ text }) => {
    end();
    say("Python has ended. The next run starts it again.");
    show("error", `Python has ended: ${text}`);
  },
};

function start(kind) {
  if (at("run").disabled) return;
  output.replaceChildren();
  at("results").scrollIntoView({ block: "nearest" });
  setBusy(true);
  waiting = { kind, code: editor.text, name: items.get(current).name };
  if (!worker) return loadPython();
  say("Running …");
  worker.postMessage(waiting);
}

at("run").onclick = () => start("run");
at("check").onclick = () => start("check");
at("stop").onclick = () => {
  end();
  say("Stopped. The next run starts Python again.");
};
at("reset").onclick = () => {
  editor.text = items.get(current).first;
};
at("hint").onclick = () => {
  const all = items.get(current).hints;
  hints = Math.min(hints + 1, all.length);
  show("hint", `Hint ${hints} of ${all.length}: ${all[hints - 1]}`);
};
at("solution").onclick = () => show("text", items.get(current).solution);
at("choice").onchange = (event) => {
  if (!at("run").disabled) output.replaceChildren();
  open(event.target.value);
};
for (const [title, href] of content.links) at("links").append(Object.assign(document.createElement("a"), { href, textContent: title }));

open(decodeURIComponent(location.hash.slice(1)) || kept.get("current"));
say("The first run loads Python into this page.");
