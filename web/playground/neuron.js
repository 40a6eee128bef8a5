// The picture of the net, and the panel of the chosen neuron: its sentences and its weights.
import { app, compute, example, save } from "./app.js";
import { $, button, make, mathematics, textField } from "./dom.js";
import { byAutograd } from "./engine.js";
import { factor, four, parse } from "./numbers.js";
import { picture, place, subscript } from "./picture.js";
import { activationSentence, deltaSentence, meaning, rule, source, sumSentence } from "./sentences.js";
import { nudged } from "./textbook.js";

let space = 0; // the width for the picture

export function measureStage() { // seldom, as reading a width makes the browser lay out the whole page
  space = $("stage").clientWidth - 20;
}

export function renderPicture() {
  const upright = space < 540 || (app.state.hidden.length > 3 && space < 1000);
  $("stage").replaceChildren(picture(app.look, upright, space, { choose, edit }));
  const [back, on, previous, next] = upright
    ? ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"] : ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
  const moves = { [back]: [-1, 0], [on]: [1, 0], [previous]: [0, -1], [next]: [0, 1] };
  $("stage").firstChild.addEventListener("keydown", (event) => {
    if (!(event.key in moves)) return;
    event.preventDefault();
    const { net, chosen: [l, k] } = app.state, [layers, neurons] = moves[event.key];
    const layer = within(l + layers, net.length);
    choose(layer, within(k + neurons, net[layer].b.length));
  });
}

function within(i, count) {
  return Math.min(Math.max(0, i), count - 1);
}

// Move the picture, and not the page, until the chosen neuron is in view
export function showChosen() {
  const stage = $("stage"), frame = stage.getBoundingClientRect(), box = stage.querySelector(".chosen").getBoundingClientRect();
  if (box.left < frame.left || box.right > frame.right) stage.scrollLeft += (box.left + box.right - frame.left - frame.right) / 2;
  if (box.top < frame.top || box.bottom > frame.bottom) stage.scrollTop += (box.top + box.bottom - frame.top - frame.bottom) / 2;
}

function choose(l, k, focus = true) {
  app.state.chosen = [l, k];
  compute();
  renderPicture();
  showChosen();
  renderPanel();
  save();
  if (focus) $("stage").querySelector(".chosen").focus({ preventScroll: true });
}

function edit(l, k, j) { // open the field of a weight
  choose(l, k, false);
  const field = $("panel").querySelector(`[data-input="${j}"]`);
  field.focus();
  field.select();
}

// The sentences

export function renderPanel() {
  const [l, k] = app.state.chosen, kind = l + 1 === app.state.net.length ? "output layer" : `hidden layer ${l + 1}`;
  const title = make("h2", { textContent: `Neuron ${place(l, k)}: ${kind}, number ${k}` });
  $("panel").replaceChildren(title, make("div", { id: "told" }), make("div", { id: "weights" }));
  renderTold();
  renderWeights();
}

export function renderTold() {
  const { look, state: { net, loss, chosen: [l, k] } } = app, delta = look.deltas[l][k];
  const sentence = (pieces) => make("p", { className: "sentence" }, ...pieces.map(asNode));
  const line = (...children) => make("p", {}, ...children);
  $("told").replaceChildren(...(look.problem ? [line(look.problem)] : [
    make("p", { className: "rule" }, ...mathematics(rule(net, loss, l))), sentence(deltaSentence(look, loss, l, k)),
    ...(delta === null ? [] : [threeWays(l, k, delta), line(meaning(delta, l, k))]),
    sentence(sumSentence(look, l, k)), line(...mathematics(activationSentence(look, l, k))),
  ]));
}

function asNode(piece) { // a factor is a button: pointed at, it lights up what it belongs to
  if (typeof piece === "string") return piece;
  const { text, says, result } = piece, className = `factor${result ? " result" : ""}`;
  const element = button(text, () => {}, { className, title: says, label: `${text}, ${says}` });
  for (const event of ["mouseenter", "focus"]) element.addEventListener(event, () => light(piece, true));
  for (const event of ["mouseleave", "blur"]) element.addEventListener(event, () => light(piece, false));
  return element;
}

function light({ edge, neuron }, on) {
  const names = [edge && `[data-edge="${edge}"]`, neuron && `[data-neuron="${neuron}"]`].filter(Boolean);
  $("stage").querySelectorAll(names.join()).forEach((element) => element.classList.toggle("lit", on));
}

function threeWays(l, k, byHand) {
  const { net, loss } = app.state, { x, t } = example(), found = byAutograd(net, x, t, loss), autograd = found.deltas[l][k];
  let nudge;
  try { nudge = nudged(net, x, t, loss, l, k); } catch { nudge = NaN; }
  const exact = Math.abs(autograd - byHand) <= 1e-9 * Math.abs(byHand) + 1e-15;
  const noise = 1e-9 * Math.max(1, Math.abs(found.error)); // E has 16 digits
  const near = Math.abs(nudge - byHand) <= 1e-4 * Math.abs(byHand) + noise;
  const rows = [
    ["by hand", byHand, "the line above"],
    ["by autograd", autograd, exact ? "✓ the same: the chain rule over the graph" : "✗ another number"],
    ["by nudging in", nudge, Number.isNaN(nudge) ? "not defined on both sides"
      : near ? "✓ the same: −(E(in + h) − E(in − h)) / 2h" : "✗ differs: a kink is near, where E has no derivative"],
  ];
  const cells = rows.flatMap(([name, number, verdict]) => [["dt", name], ["dd", four(number)], ["dd", verdict]]);
  return make("dl", { className: "ways" }, ...cells.map(([tag, textContent]) => make(tag, { textContent })));
}

// The weights

export function renderWeights() {
  const { state: { net, chosen: [l, k] } } = app, weights = [...net[l].W[k], net[l].b[k]], titles = ["from", "weight", "change it"];
  const head = [...titles, `−∂E/∂w = a ${subscript("Δ", l, k)}`].map((text) => make("th", { textContent: text, scope: "col" }));
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...weights.map(weightRow)));
  $("weights").replaceChildren(table);
  renderProducts();
}

function weightRow(value, j, { length }) {
  const [l, k] = app.state.chosen, isBias = j === length - 1, name = isBias ? "bias b" : source(l, j);
  const label = isBias ? `the bias of neuron ${place(l, k)}` : `the weight from ${name} to neuron ${place(l, k)}`;
  const field = textField(label, Number(value.toPrecision(4)), { data: { input: j } });
  const slider = make("input", { type: "range", min: -3, max: 3, step: 0.01, value, label: `${label}, slider` });
  field.oninput = () => {
    const x = parse(field.value);
    field.setAttribute("aria-invalid", Number.isNaN(x));
    if (Number.isNaN(x)) return;
    slider.value = x;
    setWeight(j, x);
  };
  slider.oninput = () => {
    field.value = slider.value;
    setWeight(j, Number(slider.value));
  };
  const cells = [make("td", { textContent: name }), make("td", {}, field), make("td", {}, slider), make("td", { className: "number" })];
  return make("tr", {}, ...cells);
}

function renderProducts() { // -∂E/∂w = a Δ of each weight, and Δ of the bias
  const { look, state: { chosen: [l, k] } } = app, inputs = l ? look.outs[l - 1] : look.x, delta = look.deltas[l][k];
  $("weights").querySelectorAll(".number").forEach((cell, j) => {
    const a = inputs[j] ?? null, known = delta !== null && (j === inputs.length || a !== null);
    cell.textContent = !known ? "?" : j === inputs.length ? four(delta) : `${factor(a)} × ${factor(delta)} = ${four(a * delta)}`;
  });
}

function setWeight(j, x) {
  const { net, chosen: [l, k] } = app.state, { W, b } = net[l];
  if (j < W[k].length) W[k][j] = x;
  else b[k] = x;
  app.refresh(true);
  renderProducts();
  save();
}
