// The settings: data, layers and learning. Each change makes another state.
import { app, change, example, problem } from "./app.js";
import { datasets, initializers, target } from "./data.js";
import { $, button, make, select, textField } from "./dom.js";
import { parse } from "./numbers.js";
import { MOST, activations, targetsFit, targetsOf } from "./state.js";
import { losses } from "./textbook.js";

export function renderSettings() {
  const { state } = app, fresh = { fresh: true }, keep = { keep: true };
  const sets = [...Object.keys(datasets), ...(state.points ? ["drawn"] : []), "one"];
  const setNames = { drawn: "drawn points", one: "this example only" };
  $("settings").replaceChildren(
    group("Data", choice("data set", "data", sets.map((name) => [name, setNames[name] ?? name]), changeData),
      number("points", "n"), number("noise", "noise"), number("seed", "seed", fresh)),
    group("Net", ...state.hidden.map((_, l) => hiddenLayer(l)), outputLayer(),
      button("add a layer", addLayer, { disabled: state.hidden.length >= MOST.layers }),
      choice("initial weights", "initializer", named(initializers), (value) => change({ initializer: value }, fresh))),
    group("Learning", choice("loss E", "loss", named(losses), (value) => changeLoss(value, value === "cross_entropy" ? 2 : state.outputs)),
      number("learning rate η", "rate", keep), number("momentum", "momentum", keep), number("batch size (0: all)", "batch", keep),
      make("p", { className: "hint", textContent: `targets of ${spaced(state.loss)}: ${targetsOf(state.loss)}` })),
  );
}

function group(title, ...controls) {
  return make("fieldset", {}, make("legend", { textContent: title }), ...controls);
}

function number(name, key, options) {
  const field = make("input", { type: "text", value: String(app.state[key]), autocomplete: "off", name: key });
  field.onchange = () => {
    const value = parse(field.value);
    field.setAttribute("aria-invalid", Number.isNaN(value));
    if (Number.isNaN(value)) problem(`${name}: expected a number, not ${field.value}`);
    else change({ [key]: value }, options);
  };
  return make("label", {}, name, field);
}

function choice(name, key, options, onchange) {
  return make("label", {}, name, Object.assign(select(name, options, app.state[key], onchange), { name: key }));
}

function named(table) {
  return Object.keys(table).map((name) => [name, spaced(name)]);
}

function spaced(name) {
  return name.replaceAll("_", " ");
}

// The layers

function layerRow(name, ...controls) {
  return make("div", { className: "row" }, make("span", { textContent: name }), ...controls);
}

function counts(most) {
  return Array.from({ length: most }, (_, i) => [String(i + 1), `${i + 1} neuron${i ? "s" : ""}`]);
}

function hiddenLayer(l) {
  const { hidden, activations: names } = app.state, name = `hidden layer ${l + 1}`;
  const size = select(`neurons in ${name}`, counts(MOST.neurons), String(hidden[l]),
    (value) => change({ hidden: hidden.with(l, Number(value)) }, { fresh: true }));
  const remove = () => change({ hidden: hidden.toSpliced(l, 1), activations: names.toSpliced(l, 1) }, { fresh: true });
  const minus = button("−", remove, { label: `remove ${name}`, title: "remove this layer" });
  return layerRow(`layer ${l + 1}`, size, activation(l, name), minus);
}

function outputLayer() {
  const { hidden, loss, outputs } = app.state;
  const size = select("number of outputs", counts(2), String(outputs), (value) => changeLoss(loss, Number(value)));
  return layerRow("output", size, activation(hidden.length, "the output layer"));
}

function activation(l, name) {
  const { activations: chosen } = app.state, options = activations.map((g) => [g ?? "linear", g ?? "linear (none)"]);
  return select(`activation of ${name}`, options, chosen[l] ?? "linear",
    (value) => change({ activations: chosen.with(l, value === "linear" ? null : value) }));
}

function addLayer() {
  const { hidden, activations: names } = app.state, last = hidden.length;
  const added = last ? names[last - 1] : "tanh"; // as the layer before it
  change({ hidden: [...hidden, 2], activations: names.toSpliced(last, 0, added) }, { fresh: true });
}

// Data and loss: the targets of an example of one's own follow them

function changeData(value) {
  const { x, t } = example();
  change({ data: value, own: value === "one" ? { x, t } : null });
}

function changeLoss(loss, outputs) {
  const { own, outputs: before } = app.state, fits = own && own.t.length === outputs && targetsFit(loss, own.t);
  change({ loss, outputs, own: fits || !own ? own : { x: own.x, t: target(loss, outputs, 1) } }, { fresh: outputs !== before });
}
