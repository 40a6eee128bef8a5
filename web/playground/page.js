// The page: it starts with the state of its address, and shows each part again when the state changes.
import { app, compute, fromPreset, problem, show } from "./app.js";
import { $, button, keepFocus } from "./dom.js";
import { renderError, renderExample, renderHand } from "./example.js";
import { measureStage, renderPanel, renderPicture, renderTold, renderWeights, showChosen } from "./neuron.js";
import { presets } from "./presets.js";
import { renderSettings } from "./settings.js";
import { renderShare } from "./share.js";
import { fromAddress } from "./state.js";
import { measureColours, renderTraining, start } from "./trainer.js";

app.render = () => {
  const focusAgain = keepFocus();
  compute();
  renderPresets();
  renderExample();
  renderPicture();
  renderHand();
  renderPanel();
  renderTraining();
  renderSettings();
  focusAgain();
};

app.refresh = (editing = $("weights").contains(document.activeElement)) => {
  const focusAgain = keepFocus();
  compute();
  renderPicture();
  renderError();
  renderTold();
  if (!editing) renderWeights(); // a field that is in use must not be replaced
  renderTraining();
  focusAgain();
};

function renderPresets() {
  const shown = presets.find(({ key }) => key === app.state.preset);
  $("presets").replaceChildren(...presets.map((preset) => button(preset.name, () => {
    problem("");
    show(fromPreset(preset.key));
    showChosen();
  }, { ariaPressed: preset === shown })));
  $("preset").textContent = shown?.sentence ?? "";
}

function stateOf(hash) { // the key of an example alone stands for all of its settings
  const example = presets.find(({ key }) => hash === `#preset=${key}`);
  return example ? fromPreset(example.key) : fromAddress(hash);
}

function load() {
  try {
    problem("");
    show(stateOf(location.hash || "#preset=first"));
  } catch (failure) {
    show(fromPreset("first"));
    problem(`This address cannot be shown: ${failure.message}.`);
  }
  showChosen();
}

measureStage();
measureColours();
start();
renderShare();
load();
addEventListener("hashchange", load);
addEventListener("resize", () => {
  measureStage();
  renderPicture();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  measureColours();
  renderTraining();
});
