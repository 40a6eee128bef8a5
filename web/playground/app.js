// What the page shows: the state, its samples, and the numbers of the example. The parts of the page read it here.
import { $ } from "./dom.js";
import { presets } from "./presets.js";
import { MOST, complete, fitsAddress, flat, samples, toAddress } from "./state.js";
import { deltas, error, forward, functions } from "./textbook.js";

const FLAT = 0.02; // a neuron whose |g'(in)| is smaller is saturated

export const app = {
  state: null,
  data: [], // the samples
  look: null, // the numbers of the example, see `compute`
  stage: null, // how many stages of the example by hand are shown; null for all
  running: 0, // the frame that trains next
  charts: null, // what the charts show
  render() {}, // show everything again
  refresh() {}, // show the numbers again, as weights have changed; refresh(true) leaves the fields of the weights alone
};

let timer = 0;

// Return the sample that is shown
export function example() {
  return app.state.own ?? app.data[app.state.example];
}

// Show another state; `keep` keeps the charts
export function show(state, keep = false) {
  stop();
  Object.assign(app, { state, data: samples(state), stage: null, charts: keep ? app.charts : null });
  $("verdict").textContent = "";
  app.render();
  save();
}

// Apply settings to the state, or say what is wrong with them; `fresh` draws new weights
export function change(settings, { fresh = false, keep = false } = {}) {
  const { net, velocity, ...state } = app.state;
  const kept = fresh ? { preset: "", epoch: 0 } : { weights: flat(net), speeds: flat(velocity) };
  attempt(() => show(complete({ ...state, ...kept, ...settings }), keep));
}

export function attempt(action) {
  try {
    action();
    problem("");
  } catch (failure) {
    problem(failure.message);
  }
}

export function problem(text) {
  $("problem").textContent = text;
  $("problem").hidden = !text;
}

export function stop() {
  cancelAnimationFrame(app.running);
  app.running = 0;
}

// Return the state of an example to start from
export function fromPreset(key) {
  return complete({ ...presets.find((preset) => preset.key === key).state, preset: key });
}

// Compute app.look: in, a and Δ of every neuron (null where they are not shown yet), E, and which neurons are
// saturated or dead; `truth` has all numbers, and `problem` says why there are none
export function compute() {
  const { net, loss, chosen } = app.state, { x, t } = example(), stage = app.stage ?? Infinity;
  const blank = () => net.map(({ b }) => b.map(() => null));
  const look = { net, x, t, chosen, sums: blank(), outs: blank(), deltas: blank(), flat: blank(), dead: blank(), error: null, problem: "" };
  app.look = look;
  try {
    const passed = forward(net, x), found = deltas(net, x, t, loss, passed);
    if (![...passed.outs, ...found].flat().every(Number.isFinite)) throw new RangeError("a number is too large");
    look.truth = { ...passed, deltas: found, error: error(passed.outs.at(-1), t, loss) };
  } catch (failure) {
    if (!(failure instanceof RangeError)) throw failure;
    look.problem = `The net is not defined for this example: ${failure.message}. Change the example, a weight or an activation.`;
    return;
  }
  if (stage < 1) return; // nothing is computed yet
  const { sums, outs } = look.truth, isFlat = (z, l) => net[l].activation !== null && Math.abs(derivative(l, z)) < FLAT;
  Object.assign(look, { sums, outs, error: look.truth.error, dead: deadNeurons() });
  look.flat = sums.map((layer, l) => layer.map((z) => isFlat(z, l)));
  look.deltas = look.truth.deltas.map((layer, l) => (stage >= 1 + net.length - l ? layer : layer.map(() => null)));
}

function derivative(l, z) {
  return functions(app.state.net[l].activation).derivative(z);
}

// Return for each neuron whether g'(in) is 0 for every one of several samples
function deadNeurons() {
  const alive = app.state.net.map(({ b }) => b.map(() => app.data.length < 2));
  for (const { x } of app.data) {
    try {
      forward(app.state.net, x).sums.forEach((layer, l) => layer.forEach((z, k) => { alive[l][k] ||= derivative(l, z) !== 0; }));
    } catch { /* the net is not defined for this sample */ }
  }
  return alive.map((layer) => layer.map((one) => !one));
}

// Write the state into the address, soon
export function save() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const { state } = app, count = flat(state.net).length;
    if (app.running) return;
    try { history.replaceState(null, "", `#${toAddress(state)}`); } catch { /* some hosts forbid it */ }
    $("note").textContent = fitsAddress(state)
      ? "The address of this page has the settings, the points and the weights: keep it, or send it."
      : "The address has the settings, the points and the seed. A net of more than "
        + `${MOST.parameters} parameters (this one has ${count}) does not fit with its weights: save it as a file.`;
  }, 250);
}
