// The example: its numbers, and its backward pass by hand, stage by stage, with predictions.
import { app, change, compute, example, problem, save, stop } from "./app.js";
import { $, button, make, select, textField } from "./dom.js";
import { factor, four, parse } from "./numbers.js";
import { subscript } from "./picture.js";
import { deltaSentence, source, sumSentence } from "./sentences.js";
import { error, forward, gradients, update } from "./textbook.js";

const ACTS = ["Forward", "Δ at the output", "Δ inside", "Update"];

let question = null, asked = 0, right = 0;

export function renderExample() {
  const { state, data } = app, bar = [];
  if (state.data !== "one") {
    const options = data.map((_, i) => [String(i), `${i + 1} of ${data.length}`]);
    if (state.own) options.unshift(["own", "own numbers"]);
    bar.push(make("label", {}, "example", select("example", options, state.own ? "own" : String(state.example), (value) => {
      if (value !== "own") change({ example: Number(value), own: null }, { keep: true });
    })));
  }
  bar.push(make("label", {}, "x =", ...fields("x", "input x")), make("label", {}, "t =", ...fields("t", "target t of output")));
  $("example").replaceChildren(...bar, make("b", { id: "error" }));
  renderError();
}

function fields(name, label) {
  const { x, t } = example();
  return { x, t }[name].map((number, i) => {
    const field = textField(`${label} ${i}`, Number(number.toPrecision(4)));
    field.onchange = () => {
      const own = structuredClone({ x, t }), value = own[name][i] = parse(field.value);
      field.setAttribute("aria-invalid", Number.isNaN(value));
      if (Number.isNaN(value)) problem(`expected a number, not ${field.value}`);
      else change({ own }, { keep: app.state.data !== "one" });
    };
    return field;
  });
}

export function renderError() {
  $("error").textContent = `E = ${app.look.error === null ? "?" : four(app.look.error)}`;
}

// By hand

function stages() { // the button of each stage, and the layer whose Δ it computes
  const last = app.state.net.length - 1, inside = [...Array(last).keys()].reverse();
  return [
    { act: "Forward" }, { act: "Δ at the output", layer: last }, ...inside.map((layer) => ({ act: "Δ inside", layer })),
    { act: "Update" },
  ];
}

export function renderHand() {
  const all = stages(), next = all[app.stage ?? 0].act, predict = $("predict")?.checked ?? false;
  if (app.stage === null) question = null;
  const buttons = ACTS.filter((act) => all.some((stage) => stage.act === act)).map((act, i) => {
    const disabled = act !== next || app.look.problem !== "" || question !== null;
    return button(`${i + 1} ${act}`, advance, { disabled, className: act === next && app.stage !== null ? "next" : "" });
  });
  const showAll = button("show all", () => {
    app.stage = null;
    app.render();
    tell("All numbers are shown.");
  }, { hidden: app.stage === null });
  const box = make("input", { type: "checkbox", id: "predict", checked: predict });
  $("hand").replaceChildren(make("b", { textContent: "By hand:" }), ...buttons, make("label", {}, box, "predict first"), showAll);
  $("question").hidden = question === null;
}

function tell(text) {
  $("verdict").textContent = text;
}

function advance() {
  stop();
  app.stage ??= 0;
  compute();
  const stage = stages()[app.stage];
  if (stage.layer !== undefined && app.state.chosen[0] !== stage.layer) app.state.chosen = [stage.layer, 0];
  if ($("predict").checked) ask(stage);
  else {
    reach(stage);
    focusNext();
  }
}

function focusNext() {
  $("hand").querySelector("button:not(:disabled)")?.focus();
}

function reach(stage) { // show the numbers of a stage, or make the step
  const { state, look: { truth } } = app, isOutput = stage.layer === state.net.length - 1;
  const where = isOutput ? "the output layer" : `hidden layer ${stage.layer + 1}`;
  question = null;
  if (stage.act === "Update") {
    const { x, t } = example();
    state.net = update(state.net, gradients(state.net, x, t, state.loss), state.rate);
    app.stage = 0;
    let after = NaN;
    try { after = error(forward(state.net, x).outs.at(-1), t, state.loss); } catch { /* the page says why */ }
    tell(`Update: every weight w is now w + η a Δ, with η = ${state.rate}. The error of this example went from `
      + `${four(truth.error)} to ${four(after)}. Press Forward for the new numbers.`);
    save();
  } else {
    app.stage += 1;
    tell(stage.act === "Forward"
      ? `Forward: each neuron has its in = b + Σ w a and its a = g(in). The error is E = ${four(truth.error)}.`
      : `${stage.act}: every Δ of ${where} is computed. `
        + (stage.layer ? "Next comes the layer before it." : "All Δ are known: next comes the step."));
  }
  app.render();
}

// Predictions

function ask(stage) { // for one number, before it is shown
  const { state } = app, { look } = app;
  if (stage.act === "Forward" && state.chosen[0] !== 0) state.chosen = [0, 0];
  question = questionOf(stage, look, ...state.chosen);
  app.render();
  tell("");
  const field = textField("your number"), text = make("span", {}, make("b", { textContent: "Predict: " }), question.text);
  $("question").replaceChildren(make("label", {}, text, field), make("button", { textContent: "check" }),
    button("show it", () => { reach(stage); focusNext(); }));
  $("question").onsubmit = (event) => {
    event.preventDefault();
    const guess = parse(field.value);
    field.setAttribute("aria-invalid", Number.isNaN(guess));
    if (Number.isNaN(guess)) tell("Write a number, such as −0.25 or 1/3.");
    else judge(stage, guess);
  };
  field.focus();
}

function questionOf({ act }, look, l, k) {
  const { net, truth } = look, open = (sentence) => sentence.slice(0, -1).map((piece) => piece.text ?? piece).join("");
  if (act === "Forward") return { text: `${open(sumSentence(look, l, k))} = `, answer: truth.sums[l][k] };
  if (act !== "Update") return { text: open(deltaSentence(look, app.state.loss, l, k)), answer: truth.deltas[l][k] };
  const a = l ? truth.outs[l - 1][0] : look.x[0], w = net[l].W[k][0], delta = truth.deltas[l][k], { rate } = app.state;
  const numbers = `${factor(w)} + ${rate} × ${factor(a)} × ${factor(delta)}`;
  return { text: `the new weight from ${source(l, 0)}: w + η a ${subscript("Δ", l, k)} = ${numbers} = `, answer: w + rate * a * delta };
}

function judge(stage, guess) {
  const { answer } = question, near = (x) => Math.abs(guess - x) <= Math.max(0.02 * Math.abs(x), 5e-5);
  asked += 1;
  right += near(answer);
  const verdict = near(answer) ? `✓ Right: it is ${four(answer)}`
    : `✗ Not right: it is ${four(answer)}, and you wrote ${four(guess)}${near(-answer) ? ": look at the sign" : ""}`;
  reach(stage);
  tell(`${verdict}. ${right} of ${asked} right. ${$("verdict").textContent}`);
  focusNext();
}
