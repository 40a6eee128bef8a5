// Training on the page: run and pause, the charts, and the picture of the plane in which points are drawn.
import { app, change, problem, save, stop } from "./app.js";
import { chart, frame, paintBoundary, paintPoints } from "./charts.js";
import { $, button, make, select, textField } from "./dom.js";
import { four, parse } from "./numbers.js";
import { presets } from "./presets.js";
import { MOST, flat } from "./state.js";
import { deltas } from "./textbook.js";
import { accuracy, batches, boundary, meanLoss, step } from "./training.js";

const SIZE = 50; // of the grid of the boundary
const KEPT = 300; // points of a curve
const SAMPLES = 40; // from which the mean of |Δ| is computed

let inks, drawn = 1, anew = false;

export function measureColours() { // seldom, as reading a style makes the browser compute all of them
  const style = getComputedStyle(document.documentElement);
  inks = Object.fromEntries(["paper", "ink", "one", "zero"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

// Put the controls in place
export function start() {
  const speeds = [["1", "slow"], ["5", "normal"], ["40", "fast"]];
  const speed = Object.assign(select("speed: epochs in each frame", speeds, "5", () => {}), { id: "speed" });
  $("run").replaceChildren(button("Run", run, { id: "go" }), button("One epoch", oneEpoch), button("Reset", reset),
    make("label", {}, "speed", speed), make("span", { id: "result" }));
  startDrawing();
}

// Running

function run() {
  if (app.running) { pause(); return; }
  begin();
  const next = () => {
    if (!train(Number($("speed").value))) { pause(); return; }
    app.refresh();
    app.running = requestAnimationFrame(next);
  };
  app.running = requestAnimationFrame(next);
  app.render();
}

function pause() {
  stop();
  app.render();
  save();
}

function oneEpoch() {
  stop();
  begin();
  train(1);
  pause();
}

function begin() { // training ends what was done by hand
  problem("");
  $("verdict").textContent = "";
  app.stage = null;
}

function reset() { // go back to the first weights: those of the example, or of the seed
  const { preset } = app.state, weights = presets.find(({ key }) => key === preset)?.state.weights ?? null;
  change({ preset, weights }, { fresh: true });
}

function train(epochs) { // return whether training may go on
  const { state, data } = app, { net, velocity, loss, rate, momentum } = state;
  try {
    for (let i = 0; i < epochs; i++) {
      batches(data, state.batch, state.seed, state.epoch).forEach((batch) => step(net, velocity, batch, loss, rate, momentum));
      state.epoch += 1;
    }
  } catch (failure) {
    if (!(failure instanceof RangeError)) throw failure;
    problem(`Training stopped in epoch ${state.epoch + 1}: ${failure.message}.`);
    return false;
  }
  if (Number.isFinite(remember()) && flat(net).every(Number.isFinite)) return true;
  problem(`Training stopped after epoch ${state.epoch}: the loss is no longer a finite number. `
    + "Reset, and choose a smaller learning rate η.");
  return false;
}

function remember() { // add a point to the curves, and return the loss
  const { state: { net, loss, epoch }, data } = app, some = data.slice(0, SAMPLES), charts = app.charts;
  let now = NaN, sizes = net.map(() => NaN);
  try {
    now = meanLoss(net, data, loss);
    const found = some.map(({ x, t }) => deltas(net, x, t, loss));
    sizes = net.map((_, l) => mean(found.map((layers) => mean(layers[l].map(Math.abs)))));
  } catch { /* the net is not defined for a sample */ }
  charts.epochs.push(epoch);
  charts.loss.push(now);
  charts.deltas.forEach((curve, l) => curve.push(sizes[l]));
  if (charts.epochs.length > KEPT) [charts.epochs, charts.loss, ...charts.deltas].forEach(thin);
  return now;
}

function mean(numbers) {
  return numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
}

function thin(list) { // keep every other entry
  list.splice(0, list.length, ...list.filter((_, i) => i % 2 === 0));
}

// The charts

export function renderTraining() {
  const { state, data } = app;
  if (!app.charts) {
    app.charts = { epochs: [], loss: [], deltas: state.net.map(() => []) };
    remember();
  }
  const { epochs, loss, deltas: sizes } = app.charts, [points, example] = plotted(), box = frame(points), canvas = $("boundary");
  $("go").textContent = app.running ? "Pause" : "Run";
  $("result").textContent = `epoch ${state.epoch}, loss ${four(loss.at(-1))}${share()}`;
  paintBoundary(canvas, boundary(state.net, state.loss, box, SIZE), SIZE, inks);
  paintPoints(canvas, points, box, example, inks);
  canvas.setAttribute("aria-label", `the plane of the inputs x₀ and x₁ with ${data.length} points, the classes that the net `
    + "predicts, and the boundary between them");
  $("loss").replaceChildren(chart([{ name: "", values: loss }], epochs, `the mean loss over the epochs, now ${four(loss.at(-1))}`, false));
  const curves = sizes.map((values, l) => ({ name: l + 1 === state.net.length ? "output" : `layer ${l + 1}`, values }));
  const now = curves.map(({ name, values }) => `${name} ${four(values.at(-1))}`).join(", ");
  $("deltas").replaceChildren(chart(curves, epochs, `the mean size of Δ in each layer: ${now}`, true));
}

function share() { // of the points whose class the net predicts
  const { state: { net, loss }, data } = app;
  if (data[0].c === undefined) return "";
  try {
    return `, ${(100 * accuracy(net, data, loss)).toFixed(0)} % of the points right`;
  } catch {
    return "";
  }
}

function plotted() { // the points of the picture, and the place of the example among them
  const { state, data } = app, points = data.map(({ x, c }) => ({ x, c }));
  if (state.data === "one") return [points, 0];
  return state.own ? [[...points, { x: state.own.x }], points.length] : [points, state.example];
}

// Drawing

function startDrawing() {
  const radio = (c, text) => make("label", {},
    make("input", { type: "radio", name: "class", checked: drawn === c, onchange: () => { drawn = c; } }), text);
  const xs = [0, 1].map((i) => textField(`x ${i} of the new point`, "", { placeholder: `x${"₀₁"[i]}` }));
  const form = make("form", { className: "bar" }, "add: ", radio(0, "● class 0"), radio(1, "▲ class 1"), ...xs,
    make("button", { textContent: "add" }), button("undo", undo), button("start anew", () => {
      anew = true;
      problem("The next point that you draw replaces all points.");
    }));
  form.onsubmit = (event) => {
    event.preventDefault();
    const x = xs.map((field) => parse(field.value));
    if (x.some(Number.isNaN)) problem("a point has two numbers, x₀ and x₁");
    else addPoint(x);
  };
  $("points").replaceChildren("Click to draw a point; ring: the example.", form);
  $("boundary").onclick = ({ clientX, clientY }) => {
    const at = $("boundary").getBoundingClientRect(), box = frame(plotted()[0]);
    const [right, down] = [(clientX - at.left) / at.width, (clientY - at.top) / at.height];
    addPoint([box.left + right * (box.right - box.left), box.top - down * (box.top - box.bottom)]);
  };
}

function addPoint(x) {
  const points = app.state.data === "one" || anew ? [] : app.data.map((sample) => ({ x: sample.x, c: sample.c }));
  anew = false;
  if (points.length >= MOST.points) { problem(`a picture has at most ${MOST.points} points`); return; }
  const point = { x: x.map((p) => Number(p.toFixed(3))), c: drawn };
  change({ data: "drawn", own: null, points: [...points, point], example: points.length }, { keep: true });
}

function undo() {
  const { data, points } = app.state;
  if (data === "drawn" && points.length > 1) change({ own: null, points: points.slice(0, -1) }, { keep: true });
}
