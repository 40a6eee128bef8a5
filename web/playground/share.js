// What leaves the page: the program in Python, the link, and a file.
import { app, attempt, example, show } from "./app.js";
import { $, button, make } from "./dom.js";
import { toPython } from "./python.js";
import { fromFile, toAddress, toFile } from "./state.js";

export function renderShare() {
  const file = make("input", { type: "file", accept: ".json,application/json", hidden: true, onchange: open });
  $("share").replaceChildren(
    button("Copy as Python", () => copy(toPython(app.state, example()), "The program")),
    button("Copy the link", () => copy(`${location.href.split("#")[0]}#${toAddress(app.state)}`, "The link")),
    button("Save as a file", download), button("Open a file", () => file.click()), file,
  );
}

async function copy(text, what) {
  $("text").value = text;
  $("text").hidden = false;
  try {
    await navigator.clipboard.writeText(text);
    $("status").textContent = `${what} is copied.`;
  } catch {
    $("text").focus();
    $("text").select();
    $("status").textContent = `${what} stands in the field above: copy it from there.`;
  }
}

function download() {
  const href = URL.createObjectURL(new Blob([toFile(app.state)], { type: "application/json" }));
  make("a", { href, download: "playground.json" }).click();
  setTimeout(() => URL.revokeObjectURL(href), 1000);
}

async function open({ target }) {
  const [file] = target.files;
  if (!file) return;
  const text = await file.text();
  attempt(() => show(fromFile(text)));
  target.value = ""; // so that the same file can be opened again
}
