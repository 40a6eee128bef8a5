// The page: it shows the state, and changes it when a person acts. All texts are set as text.
import { chart, frame, paintBoundary, paintPoints } from "./charts.js";
import { datasets, initializers, target } from "./data.js";
import { byAutograd } from "./engine.js";
import { factor, four, parse } from "./numbers.js";
import { picture, place, subscript } from "./picture.js";
import { presets } from "./presets.js";
import { toPython } from "./python.js";
import { activationSentence, deltaSentence, meaning, rule, source, sumSentence } from "./sentences.js";
import { MOST, activations, complete, fitsAddress, flat, fromAddress, fromFile, samples, targetsFit, targetsOf, toAddress, toFile } from "./state.js";
import { deltas, error, forward, functions, gradients, losses, nudged, update } from "./textbook.js";
import { accuracy, batches, boundary, meanLoss, step } from "./training.js";

const SIZE = 50; // of the grid of the boundary
const FLAT = 0.02; // a neuron whose |g'(in)| is smaller is saturated
const KEPT = 300; // epochs in the charts

const $ = (id) => document.getElementById(id);
const make = (tag, properties = {}, ...children) => {
  const { label, data, ...others } = properties, element = Object.assign(document.createElement(tag), others);
  if (label) element.setAttribute("aria-label", label);
  Object.assign(element.dataset, data);
  element.append(...children);
  return element;
};
const button = (text, onclick, properties = {}) => make("button", { type: "button", textContent: text, onclick, ...properties });
const select = (label, options, value, onchange) =>
  make("select", { label, onchange: ({ target }) => onchange(target.value) }, ...options.map(([key, text]) => make("option", { value: key, textContent: text, selected: key === value })));

let state, data, look, history, running = 0, hand = null, asking = null, answers = { asked: 0, right: 0 }, timer = 0, drawing = 1, anew = false, space, inks;

// The state and its numbers

function current() { // the example
  if (state.own) return state.own;
  return data[state.example];
}

function start(next, keep = false) { // show another state; `keep` keeps the charts
  stop();
  state = next;
  data = samples(state);
  if (!keep) history = { epochs: [], loss: [], deltas: state.net.map(() => []) };
  hand = asking = null;
  if (!history.epochs.length) remember();
  render();
  showChosen();
  save();
}

function attempt(change) { // apply settings, or say why not
  try {
    change();
    problem("");
  } catch (error) {
    problem(error.message);
  }
}

function problem(text) {
  $("problem").textContent = text;
  $("problem").hidden = !text;
}

function change(settings, { fresh = false, keep = false } = {}) { // `fresh` draws new weights
  const weights = fresh ? { preset: "" } : { weights: flat(state.net), speeds: flat(state.velocity) };
  const epoch = fresh ? 0 : state.epoch;
  attempt(() => start(complete({ ...state, net: null, velocity: null, weights: null, speeds: null, epoch, ...weights, ...settings }), keep));
}

function compute() {
  const { net, loss } = state, { x, t } = current(), count = hand === null ? Infinity : hand;
  const blank = () => net.map(({ b }) => b.map(() => null));
  look = { net, x, t, chosen: state.chosen, sums: blank(), outs: blank(), deltas: blank(), flat: blank(), dead: blank(), problem: "", error: null };
  try {
    const passed = forward(net, x), found = deltas(net, x, t, loss, passed);
    if (![...passed.outs, ...found].flat().every(Number.isFinite)) throw new RangeError("a number is too large");
    look.truth = { ...passed, deltas: found, error: error(passed.outs.at(-1), t, loss) };
    if (count >= 1) Object.assign(look, { sums: passed.sums, outs: passed.outs, error: look.truth.error });
    look.deltas = found.map((layer, l) => (count >= 1 + net.length - l ? layer : layer.map(() => null)));
    if (count >= 1) look.flat = passed.sums.map((layer, l) => layer.map((z) => net[l].activation !== null && Math.abs(functions(net[l].activation).derivative(z)) < FLAT));
    look.dead = deadNeurons();
  } catch (failure) {
    if (!(failure instanceof RangeError)) throw failure;
    look.problem = `The net is not defined for this example: ${failure.message}. Change the example, a weight or an activation.`;
  }
}

function deadNeurons() { // those with g'(in) = 0 for every sample
  const alive = state.net.map(({ b }) => b.map(() => false));
  for (const { x } of data) {
    try {
      forward(state.net, x).sums.forEach((layer, l) => layer.forEach((z, k) => {
        alive[l][k] ||= functions(state.net[l].activation).derivative(z) !== 0;
      }));
    } catch { /* not defined for this sample */ }
  }
  return alive.map((layer) => layer.map((one) => !one && data.length > 1));
}

function save() { // write the address, soon
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (running) return;
    try { window.history.replaceState(null, "", `#${toAddress(state)}`); } catch { /* some hosts forbid it */ }
    $("note").textContent = fitsAddress(state)
      ? "The address of this page has the settings, the points and the weights: keep it, or send it."
      : `The address has the settings, the points and the seed. A net of more than ${MOST.parameters} parameters (this one has ${flat(state.net).length}) does not fit with its weights: save it as a file.`;
  }, 250);
}

// The picture and the chosen neuron

function render() {
  const again = focused();
  compute();
  renderPresets();
  renderExample();
  renderPicture();
  renderHand();
  renderPanel();
  renderTraining();
  renderSettings();
  again();
}

function focused() { // return a function that gives the focus to the control that has it now, or to its successor
  const { activeElement: before } = document, where = before.closest("[id]:not([id=''], input, select, button)")?.id;
  const name = (element) => [element.tagName, element.name, element.textContent, element.getAttribute("aria-label")].join();
  const wanted = name(before), key = before.dataset.neuron;
  return () => {
    if (!where || document.body.contains(before)) return;
    if (key) $("stage").querySelector(".chosen").focus({ preventScroll: true });
    else [...$(where).querySelectorAll("button, input, select")].find((one) => name(one) === wanted && !one.disabled)?.focus();
  };
}

function renderPresets() {
  $("presets").replaceChildren(...presets.map(({ key, name }) => button(name, () => {
    start(fromPreset(key));
    problem("");
  })));
  const shown = presets.find(({ key }) => key === state.preset);
  [...$("presets").children].forEach((button) => button.setAttribute("aria-pressed", button.textContent === shown?.name));
  $("preset").textContent = shown?.sentence ?? "";
}

function fromPreset(key) {
  return complete({ ...presets.find((one) => one.key === key).state, preset: key });
}

function renderPicture(focus = false) {
  const upright = space < 540 || (state.hidden.length > 3 && space < 1000);
  $("stage").replaceChildren(picture(look, upright, space, { choose, edit }));
  $("stage").firstChild.addEventListener("keydown", (event) => {
    const moves = upright ? { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }
      : { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (!(event.key in moves)) return;
    event.preventDefault();
    const [l, k] = state.chosen, [dl, dk] = moves[event.key], layer = Math.min(Math.max(0, l + dl), state.net.length - 1);
    choose(layer, Math.min(Math.max(0, k + dk), state.net[layer].b.length - 1), true);
  });
  if (focus) $("stage").querySelector(".chosen").focus({ preventScroll: true });
}

function showChosen() { // move the picture, and not the page, until the chosen neuron is in view
  const stage = $("stage"), frame = stage.getBoundingClientRect(), box = stage.querySelector(".chosen").getBoundingClientRect();
  if (box.left < frame.left || box.right > frame.right) stage.scrollLeft += (box.left + box.right - frame.left - frame.right) / 2;
  if (box.top < frame.top || box.bottom > frame.bottom) stage.scrollTop += (box.top + box.bottom - frame.top - frame.bottom) / 2;
}

function choose(l, k, focus = true) {
  state.chosen = [l, k];
  compute();
  renderPicture(focus);
  showChosen();
  renderPanel();
  save();
}

function edit(l, k, j) { // open the field of a weight
  choose(l, k, false);
  const field = $("panel").querySelector(`[data-input="${j}"]`);
  field.focus();
  field.select();
}

function light({ edge, neuron }, on) {
  const names = [edge && `[data-edge="${edge}"]`, neuron && `[data-neuron="${neuron}"]`].filter(Boolean);
  if (names.length) $("stage").querySelectorAll(names.join(",")).forEach((element) => element.classList.toggle("lit", on));
}

function pieces(list) {
  return list.map((piece) => {
    if (typeof piece === "string") return piece;
    const element = button(piece.text, () => {}, { className: `factor${piece.result ? " result" : ""}`, title: piece.says, label: `${piece.text}, ${piece.says}` });
    for (const [event, on] of [["mouseenter", true], ["mouseleave", false], ["focus", true], ["blur", false]]) element.addEventListener(event, () => light(piece, on));
    return element;
  });
}

function indices(text) { // w_jk with its indices as subscripts, e^(x) and e^in with the exponent as a superscript
  return text.split(/(_[jk]+|\^in|\^\((?:[^()]|\([^()]*\))*\))/).map((part) => {
    if (part[0] === "_") return make("sub", { textContent: part.slice(1) });
    return part[0] === "^" ? make("sup", { textContent: part.slice(1).replace(/^\((.*)\)$/, "$1") }) : part;
  });
}

function renderPanel() {
  const [l, k] = state.chosen, kind = l + 1 === state.net.length ? "output layer" : `hidden layer ${l + 1}`;
  $("panel").replaceChildren(make("h2", { textContent: `Neuron ${place(l, k)}: ${kind}, number ${k}` }), make("div", { id: "told" }), make("div", { id: "weights" }));
  renderTold();
  renderWeights();
}

function renderTold() {
  const [l, k] = state.chosen, delta = look.deltas[l][k];
  if (look.problem) {
    $("told").replaceChildren(make("p", { textContent: look.problem }));
    return;
  }
  const told = [make("p", { className: "rule" }, ...indices(rule(state.net, state.loss, l))), make("p", { className: "sentence" }, ...pieces(deltaSentence(look, state.loss, l, k)))];
  if (delta !== null) told.push(ways(l, k, delta), make("p", { textContent: meaning(delta, l, k) }));
  told.push(make("p", { className: "sentence small" }, ...pieces(sumSentence(look, l, k))), make("p", {}, ...indices(activationSentence(look, l, k))));
  $("told").replaceChildren(...told);
}

function ways(l, k, byHand) { // the same number in three ways
  const { x, t } = current(), { deltas: found, error: E } = byAutograd(state.net, x, t, state.loss), autograd = found[l][k];
  let nudge;
  try { nudge = nudged(state.net, x, t, state.loss, l, k); } catch { nudge = NaN; }
  const exact = Math.abs(autograd - byHand) <= 1e-9 * Math.abs(byHand) + 1e-15;
  const near = Math.abs(nudge - byHand) <= 1e-4 * Math.abs(byHand) + 1e-9 * Math.max(1, Math.abs(E)); // E has 16 digits
  const rows = [
    ["by hand", byHand, "the line above"],
    ["by autograd", autograd, exact ? "✓ the same: the chain rule over the graph" : "✗ another number"],
    ["by nudging in", nudge, Number.isNaN(nudge) ? "not defined on both sides" : near ? "✓ the same: −(E(in + h) − E(in − h)) / 2h" : "✗ differs: a kink is near, where E has no derivative"],
  ];
  return make("dl", { className: "ways" }, ...rows.flatMap(([name, number, verdict]) => [make("dt", { textContent: name }), make("dd", { textContent: four(number) }), make("dd", { textContent: verdict })]));
}

function renderWeights() {
  const [l, k] = state.chosen, layer = state.net[l], inputs = l ? look.outs[l - 1] : look.x, delta = look.deltas[l][k];
  const head = make("tr", {}, ...["from", "weight", "change it", `−∂E/∂w = a ${subscript("Δ", l, k)}`].map((text) => make("th", { textContent: text, scope: "col" })));
  const row = (name, j, value, a) => {
    const label = j < layer.W[k].length ? `the weight from ${name} to neuron ${place(l, k)}` : `the bias of neuron ${place(l, k)}`;
    const product = delta === null || a === null ? "?" : j < layer.W[k].length ? `${factor(a)} × ${factor(delta)} = ${four(a * delta)}` : four(delta);
    const field = make("input", { type: "text", value: String(Number(value.toPrecision(4))), inputMode: "text", autocomplete: "off", label, data: { input: j } });
    const slider = make("input", { type: "range", min: -3, max: 3, step: 0.01, value, label: `${label}, slider` });
    field.oninput = () => {
      const x = parse(field.value);
      field.setAttribute("aria-invalid", Number.isNaN(x));
      if (!Number.isNaN(x)) { slider.value = x; set(j, x); }
    };
    slider.oninput = () => { field.value = slider.value; set(j, Number(slider.value)); };
    return make("tr", { data: { row: j } }, make("td", { textContent: name }), make("td", {}, field), make("td", {}, slider), make("td", { className: "number", textContent: product }));
  };
  const rows = layer.W[k].map((w, j) => row(source(l, j), j, w, inputs[j]));
  $("weights").replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows, row("bias b", layer.W[k].length, layer.b[k], 1))));
}

function set(j, x) { // one weight of the chosen neuron, or its bias
  const [l, k] = state.chosen, layer = state.net[l];
  if (j < layer.W[k].length) layer.W[k][j] = x;
  else layer.b[k] = x;
  compute();
  renderPicture();
  renderTold();
  $("weights").querySelectorAll("tr[data-row] .number").forEach((cell, i) => {
    const a = i < layer.W[k].length ? (l ? look.outs[l - 1] : look.x)[i] : 1, delta = look.deltas[l][k];
    cell.textContent = delta === null || a === null ? "?" : i < layer.W[k].length ? `${factor(a)} × ${factor(delta)} = ${four(a * delta)}` : four(delta);
  });
  renderExampleError();
  renderTraining();
  save();
}

// The example

function renderExample() {
  const { x, t } = current(), bar = [];
  if (state.data !== "one") {
    const options = data.map((_, i) => [String(i), `${i + 1} of ${data.length}`]);
    if (state.own) options.unshift(["own", "own numbers"]);
    bar.push(make("label", {}, "example", select("example", options, state.own ? "own" : String(state.example), (value) => {
      if (value !== "own") change({ example: Number(value), own: null }, { keep: true });
    })));
  }
  const fields = [["x", x], ["t", t]].map(([name, numbers]) => numbers.map((number, i) => {
    const input = make("input", { type: "text", value: String(Number(number.toPrecision(3))), autocomplete: "off", label: name === "x" ? `input x ${i}` : `target t of output ${i}`, size: 6 });
    input.onchange = () => {
      const value = parse(input.value), own = structuredClone({ x, t });
      own[name][i] = value;
      input.setAttribute("aria-invalid", Number.isNaN(value));
      if (Number.isNaN(value)) problem(`expected a number, not ${input.value}`);
      else change({ own: { x: own.x, t: own.t } }, { keep: state.data !== "one" });
    };
    return input;
  }));
  bar.push(make("label", {}, "x =", ...fields[0]), make("label", {}, "t =", ...fields[1]), make("b", { id: "error" }));
  $("example").replaceChildren(...bar);
  renderExampleError();
}

function renderExampleError() {
  $("error").textContent = `E = ${look.error === null ? "?" : four(look.error)}`;
}

// One example by hand

function stages() { // the name of each stage, the button that makes it, and the layer of its Δ
  const last = state.net.length - 1;
  return [
    { act: "Forward" }, { act: "Δ at the output", layer: last },
    ...[...Array(last).keys()].reverse().map((layer) => ({ act: "Δ inside", layer })), { act: "Update" },
  ];
}

function renderHand() {
  const all = stages(), next = all[hand ?? 0].act, predict = make("input", { type: "checkbox", id: "predict", checked: $("predict")?.checked ?? false });
  const acts = ["Forward", "Δ at the output", "Δ inside", "Update"].filter((act) => all.some((stage) => stage.act === act));
  $("hand").replaceChildren(
    make("b", { textContent: "By hand:" }),
    ...acts.map((act, i) => button(`${i + 1} ${act}`, () => advance(act), { disabled: act !== next || Boolean(look.problem) || asking !== null, className: act === next && hand !== null ? "next" : "" })),
    make("label", {}, predict, "predict first"),
    ...(hand === null ? [] : [button("show all", () => { hand = asking = null; render(); tell("All numbers are shown."); })]),
  );
  $("question").hidden = asking === null;
}

function tell(text) {
  $("verdict").textContent = text;
}

function advance(act) {
  stop();
  if (hand === null) hand = 0;
  compute();
  const stage = stages()[hand];
  if ($("predict").checked) ask(stage);
  else showStage(stage);
  const next = $("hand").querySelector("button:not(:disabled)");
  if (asking === null) next?.focus();
}

function showStage(stage) {
  const { x, t } = current();
  asking = null;
  if (stage.act === "Update") {
    const before = look.truth.error;
    state.net = update(state.net, gradients(state.net, x, t, state.loss), state.rate);
    hand = 0;
    let after = NaN;
    try { after = error(forward(state.net, x).outs.at(-1), t, state.loss); } catch { /* told below */ }
    tell(`Update: every weight made its step w + η a Δ with η = ${state.rate}. The error of this example went from ${four(before)} to ${four(after)}. Press Forward for the new numbers.`);
    save();
  } else {
    hand += 1;
    const last = state.net.length - 1;
    if (stage.layer !== undefined && state.chosen[0] !== stage.layer) state.chosen = [stage.layer, 0];
    const where = stage.layer === last ? "the output layer" : `hidden layer ${(stage.layer ?? 0) + 1}`;
    tell(stage.act === "Forward" ? `Forward: each neuron has its in = b + Σ w a and its a = g(in). The error is E = ${four(look.truth.error)}.`
      : `${stage.act}: every Δ of ${where} is computed. ${stage.layer > 0 ? "Next, one layer further back." : "All Δ are known: next comes the step."}`);
  }
  render();
}

function ask(stage) { // ask for one number before it is shown
  if (stage.layer !== undefined && state.chosen[0] !== stage.layer) state.chosen = [stage.layer, 0];
  if (stage.act === "Forward" && state.chosen[0] !== 0) state.chosen = [0, 0];
  const [l, k] = state.chosen, { truth } = look;
  const open = (sentence) => sentence.slice(0, -1).map((piece) => piece.text ?? piece).join("");
  if (stage.act === "Forward") asking = { text: `${open(sumSentence(look, l, k))} = `, answer: truth.sums[l][k] };
  else if (stage.act === "Update") {
    const a = l ? truth.outs[l - 1][0] : look.x[0], w = state.net[l].W[k][0], delta = truth.deltas[l][k];
    asking = { text: `the new weight from ${source(l, 0)}: w + η a Δ = ${factor(w)} + ${state.rate} × ${factor(a)} × ${factor(delta)} = `, answer: w + state.rate * a * delta };
  } else asking = { text: open(deltaSentence(look, state.loss, l, k)), answer: truth.deltas[l][k] };
  render();
  tell("");
  const field = make("input", { type: "text", autocomplete: "off", label: "your number" });
  $("question").replaceChildren(make("label", {}, make("span", {}, make("b", { textContent: "Predict: " }), asking.text), field), make("button", { textContent: "check" }), button("show it", () => reveal(stage, null)));
  $("question").onsubmit = (event) => {
    event.preventDefault();
    const guess = parse(field.value);
    field.setAttribute("aria-invalid", Number.isNaN(guess));
    if (Number.isNaN(guess)) tell("Write a number, such as −0.25 or 1/3.");
    else reveal(stage, guess);
  };
  field.focus();
}

function reveal(stage, guess) {
  const { answer } = asking;
  showStage(stage);
  if (guess === null) return;
  answers.asked += 1;
  const right = Math.abs(guess - answer) <= Math.max(0.02 * Math.abs(answer), 5e-5);
  answers.right += right;
  tell(`${right ? "✓ Right" : "✗ Not right"}: it is ${four(answer)}${right ? "" : `, and you wrote ${four(guess)}`}${!right && Math.abs(guess + answer) <= 0.02 * Math.abs(answer) ? ": look at the sign" : ""}. ${answers.right} of ${answers.asked} right. ${$("verdict").textContent}`);
  $("hand").querySelector("button:not(:disabled)")?.focus();
}

// Training

function remember() { // one more point in the charts
  const some = data.slice(0, 40), sums = state.net.map(() => 0);
  let loss = NaN;
  try {
    loss = meanLoss(state.net, data, state.loss);
    some.forEach(({ x, t }) => deltas(state.net, x, t, state.loss).forEach((layer, l) => { sums[l] += layer.reduce((s, d) => s + Math.abs(d), 0) / layer.length; }));
  } catch { sums.fill(NaN); }
  history.epochs.push(state.epoch);
  history.loss.push(loss);
  sums.forEach((sum, l) => history.deltas[l].push(sum / some.length));
  if (history.epochs.length > KEPT) { // keep every other one
    const odd = (_, i) => i % 2 === 0;
    history = { epochs: history.epochs.filter(odd), loss: history.loss.filter(odd), deltas: history.deltas.map((values) => values.filter(odd)) };
  }
  return loss;
}

function train(epochs) { // return whether it may go on
  try {
    for (let i = 0; i < epochs; i++) {
      for (const batch of batches(data, state.batch, state.seed, state.epoch)) step(state.net, state.velocity, batch, state.loss, state.rate, state.momentum);
      state.epoch += 1;
    }
  } catch (failure) {
    if (!(failure instanceof RangeError)) throw failure;
    problem(`Training stopped in epoch ${state.epoch + 1}: ${failure.message}.`);
    return false;
  }
  if (Number.isFinite(remember()) && flat(state.net).every(Number.isFinite)) return true;
  problem(`Training stopped after epoch ${state.epoch}: the loss is no longer a finite number. Reset, and choose a smaller learning rate η.`);
  return false;
}

function go(epochs) {
  const again = focused(), finite = train(epochs);
  hand = asking = null;
  compute();
  renderPicture();
  renderExampleError();
  renderTold();
  if (!$("weights").contains(document.activeElement)) renderWeights();
  renderTraining();
  again();
  return finite;
}

function run() {
  if (running) { stop(); render(); save(); return; }
  problem("");
  hand = asking = null;
  const next = () => {
    if (!go(Number($("speed").value))) { stop(); render(); save(); return; }
    running = requestAnimationFrame(next);
  };
  running = requestAnimationFrame(next);
  renderHand();
  renderRun();
}

function stop() {
  cancelAnimationFrame(running);
  running = 0;
}

function reset() { // go back to the first weights: those of the example, or of the seed
  const { preset } = state, weights = presets.find(({ key }) => key === preset)?.state.weights ?? null;
  change({ preset, weights }, { fresh: true });
}

function renderRun() {
  if (!$("speed")) {
    $("run").replaceChildren(
      button("Run", run, { id: "go" }), button("One epoch", () => { stop(); problem(""); go(1); render(); save(); }),
      button("Reset", reset),
      make("label", {}, "speed", Object.assign(select("speed: epochs in each frame", [["1", "slow"], ["5", "normal"], ["40", "fast"]], "5", () => {}), { id: "speed" })),
      make("span", { id: "result" }),
    );
  }
  $("go").textContent = running ? "Pause" : "Run";
  const loss = history.loss.at(-1);
  let correct = "";
  if (data[0].c !== undefined) { try { correct = `, ${(100 * accuracy(state.net, data, state.loss)).toFixed(0)} % of the points right`; } catch { /* not defined */ } }
  $("result").textContent = `epoch ${state.epoch}, loss ${four(loss)}${correct}`;
}

function plotted() { // the points of the boundary's picture, and the example among them
  const points = data.map(({ x, c }) => ({ x, c }));
  if (!state.own || state.data === "one") return [points, state.data === "one" ? 0 : state.example];
  return [[...points, { x: state.own.x }], points.length];
}

function renderTraining() {
  renderRun();
  const [points, example] = plotted(), box = frame(points);
  paintBoundary($("boundary"), boundary(state.net, state.loss, box, SIZE), SIZE, inks);
  paintPoints($("boundary"), points, box, example, inks);
  $("boundary").setAttribute("aria-label", `the plane of the inputs x₀ and x₁ with ${data.length} points, the classes that the net decides for, and the boundary between them`);
  $("loss").replaceChildren(chart([{ name: "", values: history.loss }], history.epochs, `the mean loss over the epochs, now ${four(history.loss.at(-1))}`, false));
  const curves = history.deltas.map((values, l) => ({ name: l + 1 === state.net.length ? "output" : `layer ${l + 1}`, values }));
  $("deltas").replaceChildren(chart(curves, history.epochs, `the mean size of Δ in each layer: ${curves.map(({ name, values }) => `${name} ${four(values.at(-1))}`).join(", ")}`, true));
}

function addPoint(x, c) {
  const points = state.data === "one" || anew ? [] : data.map((sample) => ({ x: sample.x, c: sample.c }));
  if (points.length >= MOST.points) { problem(`a picture has at most ${MOST.points} points`); return; }
  anew = false;
  change({ data: "drawn", own: null, points: [...points, { x: x.map((p) => Number(p.toFixed(3))), c }], example: points.length }, { keep: true });
}

function renderPoints() {
  const radio = (c, text) => make("label", {}, make("input", { type: "radio", name: "class", checked: drawing === c, onchange: () => { drawing = c; } }), text);
  const xs = [0, 1].map((i) => make("input", { type: "text", size: 4, autocomplete: "off", label: `x ${i} of the new point`, placeholder: `x${"₀₁"[i]}` }));
  const form = make("form", { className: "bar" }, "add: ", radio(0, "● class 0"), radio(1, "▲ class 1"), ...xs, make("button", { textContent: "add" }),
    button("undo", () => {
      if (state.data === "drawn" && data.length > 1) change({ own: null, points: state.points.slice(0, -1) }, { keep: true });
    }),
    button("start anew", () => { anew = true; problem("The next point that you draw replaces all points."); }));
  form.onsubmit = (event) => {
    event.preventDefault();
    const x = xs.map((field) => parse(field.value));
    if (x.some(Number.isNaN)) problem("a point has two numbers, x₀ and x₁");
    else { problem(""); addPoint(x, drawing); }
  };
  $("points").replaceChildren("Click to draw a point; ring: the example.", form);
  $("boundary").onclick = (event) => {
    const at = $("boundary").getBoundingClientRect(), box = frame(plotted()[0]);
    addPoint([box.left + ((event.clientX - at.left) / at.width) * (box.right - box.left), box.top - ((event.clientY - at.top) / at.height) * (box.top - box.bottom)], drawing);
  };
}

// Settings

function renderSettings() {
  const number = (name, key, options) => {
    const field = make("input", { type: "text", value: String(state[key]), autocomplete: "off", name: key });
    field.onchange = () => {
      const value = parse(field.value);
      field.setAttribute("aria-invalid", Number.isNaN(value));
      if (Number.isNaN(value)) problem(`${name}: expected a number, not ${field.value}`);
      else change({ [key]: value }, options);
    };
    return make("label", {}, name, field);
  };
  const choice = (name, options, key, onchange) => make("label", {}, name, Object.assign(select(name, options, state[key], onchange), { name: key }));
  const names = (list) => list.map((name) => [name, name.replaceAll("_", " ")]);
  const group = (title, ...fields) => make("fieldset", {}, make("legend", { textContent: title }), ...fields);
  const activation = (l) => select(`activation of ${l === state.hidden.length ? "the output layer" : `hidden layer ${l + 1}`}`,
    activations.map((name) => [name ?? "linear", name ?? "linear (none)"]), state.activations[l] ?? "linear",
    (value) => change({ activations: state.activations.with(l, value === "linear" ? null : value) }));
  const size = (l) => select(`neurons in hidden layer ${l + 1}`, Array.from({ length: MOST.neurons }, (_, i) => [String(i + 1), `${i + 1} neuron${i ? "s" : ""}`]), String(state.hidden[l]),
    (value) => change({ hidden: state.hidden.with(l, Number(value)) }, { fresh: true }));
  const layers = state.hidden.map((_, l) => make("div", { className: "row" }, make("span", { textContent: `layer ${l + 1}` }), size(l), activation(l),
    button("−", () => change({ hidden: state.hidden.toSpliced(l, 1), activations: state.activations.toSpliced(l, 1) }, { fresh: true }), { label: `remove hidden layer ${l + 1}`, title: "remove this layer" })));
  const outputs = select("number of outputs", [["1", "1 neuron"], ["2", "2 neurons"]], String(state.outputs), (value) => changeOutputs(state.loss, Number(value)));
  const sets = [...Object.keys(datasets).map((name) => [name, name]), ...(state.points ? [["drawn", "drawn points"]] : []), ["one", "this example only"]];
  $("settings").replaceChildren(
    group("Data", choice("data set", sets, "data", (value) => changeData(value)), number("points", "n"), number("noise", "noise"), number("seed", "seed", { fresh: true })),
    group("Net", ...layers, make("div", { className: "row" }, make("span", { textContent: "output" }), outputs, activation(state.hidden.length)),
      button("add a layer", () => change({ hidden: [...state.hidden, 2], activations: [...state.activations.slice(0, -1), state.activations.length > 1 ? state.activations.at(-2) : "tanh", state.activations.at(-1)] }, { fresh: true }), { disabled: state.hidden.length >= MOST.layers }),
      choice("initial weights", names(Object.keys(initializers)), "initializer", (value) => change({ initializer: value }, { fresh: true }))),
    group("Learning", choice("loss E", names(Object.keys(losses)), "loss", (value) => changeOutputs(value, value === "cross_entropy" ? 2 : state.outputs)),
      number("learning rate η", "rate", { keep: true }), number("momentum", "momentum", { keep: true }), number("batch size (0: all)", "batch", { keep: true }),
      make("p", { className: "hint", textContent: `targets of ${state.loss.replaceAll("_", " ")}: ${targetsOf(state.loss)}` })),
  );
}

function changeData(value) {
  const { x, t } = current();
  change({ data: value, own: value === "one" ? { x, t } : null });
}

function changeOutputs(loss, outputs) { // the targets of the example follow
  const { c } = data[state.example] ?? {};
  const own = state.own && (state.own.t.length === outputs && targetsFit(loss, state.own.t) ? state.own : { x: state.own.x, t: target(loss, outputs, c ?? 1) });
  change({ loss, outputs, own: state.data === "one" ? own : state.own && own }, { fresh: outputs !== state.outputs });
}

// Sharing

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

function renderShare() {
  const file = make("input", { type: "file", accept: ".json,application/json", hidden: true, onchange: async () => {
    const [chosen] = file.files;
    if (chosen) { const text = await chosen.text(); attempt(() => start(fromFile(text))); }
    file.value = "";
  } });
  $("share").replaceChildren(
    button("Copy as Python", () => copy(toPython(state, current()), "The program")),
    button("Copy the link", () => copy(`${location.href.split("#")[0]}#${toAddress(state)}`, "The link")),
    button("Save as a file", () => {
      const link = make("a", { href: URL.createObjectURL(new Blob([toFile(state)], { type: "application/json" })), download: "playground.json" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    }),
    button("Open a file", () => file.click()), file,
  );
}

// Start

function load() {
  try {
    start(location.hash.length > 1 ? fromAddress(location.hash) : fromPreset("first"));
    problem("");
  } catch (error) {
    start(fromPreset("first"));
    problem(`This address cannot be shown: ${error.message}.`);
  }
}

function measure() { // seldom, as reading these makes the browser lay out the whole page
  const style = getComputedStyle(document.documentElement), read = (name) => style.getPropertyValue(`--${name}`).trim();
  inks = { paper: read("paper"), ink: read("ink"), one: read("one"), zero: read("zero") };
  space = $("stage").clientWidth - 20;
}

measure();
renderPoints();
renderShare();
load();
addEventListener("hashchange", load);
addEventListener("resize", () => { measure(); renderPicture(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { measure(); renderTraining(); });
