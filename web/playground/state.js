// The state of the playground: settings, data, one example, weights. It is written into the address, or to a file.
import { datasets, initializers, makeNet, scatter, target } from "./data.js";
import { rows } from "./rows.js";
import { losses } from "./textbook.js";
import { zeros } from "./training.js";

export const MOST = { parameters: 100, points: 500, layers: 10, neurons: 12 };

// Every operation of one argument, and null for a = in
export const activations = [null, ...Object.keys(rows).filter((symbol) => rows[symbol].arity === 1)];

export const defaults = {
  data: "xor", n: 40, noise: 0.1, points: null, // points that were drawn: [{ x, c }]
  hidden: [2], outputs: 2, activations: ["sigmoid", "sigmoid"], initializer: "normal", seed: 11,
  loss: "half_squared_error", rate: 2, momentum: 0.5, batch: 0,
  example: 1, own: null, // numbers of one's own for the example: { x, t }
  chosen: [0, 0], epoch: 0, preset: "", // the key of the example that it started from
  weights: null, speeds: null, // lists in the order of nn; null for those of the seed, and for 0
};

// Return a state with the net of its seed, unless weights are given; raise an Error if a setting is wrong
export function complete(given) {
  const state = { ...structuredClone(defaults), ...given }, { hidden, outputs } = state;
  Object.entries(defaults).forEach(([key, usual]) => check(isLike(state[key], usual), `${key} has a value of a wrong kind`));
  check(hidden.length <= MOST.layers && hidden.every((size) => whole(size, 1, MOST.neurons)),
    `a net has up to ${MOST.layers} hidden layers of 1 to ${MOST.neurons} neurons`);
  check(whole(outputs, 1, 2), "a net has 1 or 2 outputs");
  check(Object.hasOwn(losses, state.loss), `unknown loss ${state.loss}`);
  check(state.loss !== "cross_entropy" || outputs === 2, "cross_entropy needs 2 outputs");
  check(Object.hasOwn(initializers, state.initializer), `unknown initializer ${state.initializer}`);
  check(state.activations.length === hidden.length + 1, "each layer has one activation");
  state.activations.forEach((name) => check(activations.includes(name), `unknown activation ${name}`));
  check(Object.hasOwn(datasets, state.data) || ["drawn", "one"].includes(state.data), `unknown data set ${state.data}`);
  check(state.data !== "drawn" || state.points?.length, "drawn data have at least one point");
  check(whole(state.n, 4, MOST.points), `the number of points is a whole number from 4 to ${MOST.points}`);
  check(state.noise >= 0 && state.noise <= 10, "the noise is a number from 0 to 10");
  check(whole(state.seed, 0, 2 ** 32 - 1), "the seed is a whole number from 0 to 4294967295");
  check(state.rate > 0 && Number.isFinite(state.rate), "the learning rate η is a positive number");
  check(state.momentum >= 0 && state.momentum < 1, "the momentum is at least 0 and below 1");
  check(whole(state.batch, 0, MOST.points), "the batch size is a whole number, 0 for all points");
  check(whole(state.epoch, 0, 1e9), "the number of epochs is a whole number");
  if (state.own) {
    const { x, t } = state.own, fits = x?.length === 2 && t?.length === outputs && [...x, ...t].every(Number.isFinite);
    check(fits, "an example has 2 inputs and one target for each output");
    check(targetsFit(state.loss, t), `the targets do not fit ${state.loss}: ${targetsOf(state.loss)}`);
  }
  check(state.data !== "one" || state.own, "data of one example need its numbers");
  const isPoint = ({ x, c }) => x?.length === 2 && x.every(Number.isFinite) && (c === 0 || c === 1);
  check(state.points === null || (state.points.length <= MOST.points && state.points.every(isPoint)),
    `drawn points are up to ${MOST.points} pairs of numbers with a class, 0 or 1`);
  const sizes = [2, ...hidden, outputs];
  const initial = makeNet(sizes, state.activations, state.initializer, state.seed);
  state.net = state.weights ? filled(initial, state.weights, "weights") : initial;
  state.velocity = state.speeds ? filled(zeros(state.net), state.speeds, "speeds") : zeros(state.net);
  state.weights = state.speeds = null;
  const [l, k] = state.chosen;
  if (!whole(k, 0, (state.net[l]?.b.length ?? 0) - 1)) state.chosen = [0, 0];
  state.example = Math.min(Math.max(0, Math.floor(state.example) || 0), samples(state).length - 1);
  return state;
}

// Return the samples { x, t } that training uses
export function samples({ data, n, noise, seed, points, loss, outputs, own }) {
  if (data === "one") return [own];
  const found = data === "drawn" ? points : scatter(data, n, noise, seed);
  return found.map(({ x, c }) => ({ x, t: target(loss, outputs, c), c }));
}

// Return whether numbers are targets of a loss, and the words for those that are
export function targetsFit(loss, t) {
  if (loss === "hinge") return t.every((t_k) => t_k === 1 || t_k === -1);
  const areBits = t.every((t_k) => t_k === 0 || t_k === 1);
  if (loss === "binary_cross_entropy") return areBits;
  return loss !== "cross_entropy" || (areBits && t.filter((t_k) => t_k === 1).length === 1);
}

export function targetsOf(loss) {
  const words = { hinge: "each is −1 or 1", binary_cross_entropy: "each is 0 or 1", cross_entropy: "1 at one class and 0 elsewhere" };
  return words[loss] ?? "any numbers";
}

// Return every parameter in the order of nn: neuron by neuron, its weights and then its bias
export function flat(net) {
  return net.flatMap(({ W, b }) => W.flatMap((row, k) => [...row, b[k]]));
}

function filled(net, numbers, what) {
  const { length } = flat(net);
  check(numbers.length === length && numbers.every(Number.isFinite), `this net has ${length} ${what}, all finite numbers`);
  let next = 0;
  return net.map((layer) => {
    const found = { ...layer, W: [], b: [] };
    layer.W.forEach((row) => {
      found.W.push(row.map(() => numbers[next++]));
      found.b.push(numbers[next++]);
    });
    return found;
  });
}

// Return the state as the part of an address after #. A number has as many digits as its last bit needs: at most 17
export function toAddress(state) {
  const parts = new Map(), changed = (key, text) => parts.set(key, text);
  for (const [key, usual] of Object.entries(defaults)) {
    if (["string", "number"].includes(typeof usual) && state[key] !== usual) changed(key, String(state[key]));
  }
  changed("hidden", state.hidden.join(","));
  changed("activations", state.activations.map((name) => name ?? "linear").join(","));
  changed("chosen", state.chosen.join(","));
  if (state.points) changed("points", state.points.map(({ x, c }) => [...x, c].join(",")).join(";"));
  if (state.own) changed("own", `${state.own.x.join(",")};${state.own.t.join(",")}`);
  if (fitsAddress(state)) {
    changed("weights", flat(state.net).join(","));
    if (flat(state.velocity).some((v) => v)) changed("speeds", flat(state.velocity).join(","));
  }
  return [...parts].map(([key, text]) => `${key}=${encodeURIComponent(text).replaceAll("%2C", ",").replaceAll("%3B", ";")}`).join("&");
}

// Return whether the address has the weights, too
export function fitsAddress(state) {
  return flat(state.net).length <= MOST.parameters;
}

// Return the state of an address; an Error names what is wrong
export function fromAddress(hash) {
  const given = {}, texts = new URLSearchParams(hash.replace(/^#/, "").replaceAll("+", "%2B"));
  const list = (text) => (text === "" ? [] : text.split(",").map(Number));
  const read = {
    data: String, initializer: String, loss: String, preset: String, hidden: list, chosen: list,
    activations: (text) => text.split(",").map((name) => (name === "linear" ? null : name)),
    points: (text) => text.split(";").map((point) => { const [x, y, c] = list(point); return { x: [x, y], c }; }),
    own: (text) => { const [x, t] = text.split(";").map(list); return { x, t: t ?? [] }; },
    weights: list, speeds: list,
  };
  for (const [key, text] of texts) {
    check(Object.hasOwn(read, key) || typeof defaults[key] === "number", `the address names an unknown setting, ${key}`);
    given[key] = (read[key] ?? Number)(text);
  }
  return complete(given);
}

// Return the state as the text of a file, and read it again
export function toFile(state) {
  const { net, velocity, ...settings } = state;
  return JSON.stringify({ chalkgrad: "playground", ...settings, weights: flat(net), speeds: flat(velocity) });
}

export function fromFile(text) {
  let read;
  try { read = JSON.parse(text); } catch { check(false, "this file is not a saved playground: it is no JSON"); }
  check(read?.chalkgrad === "playground", "this file is not a saved playground");
  const { chalkgrad, ...given } = read;
  return complete(Object.fromEntries(Object.entries(given).filter(([key]) => Object.hasOwn(defaults, key))));
}

function isLike(value, usual) { // null stands for an object or a list that is not given
  if (usual === null) return value === null || typeof value === "object";
  return value !== null && typeof value === typeof usual && Array.isArray(value) === Array.isArray(usual);
}

function whole(x, low, high) {
  return Number.isInteger(x) && x >= low && x <= high;
}

function check(holds, message) {
  if (!holds) throw new Error(message);
}
