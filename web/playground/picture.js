// The picture of a net: every weight on its edge, in and a and Δ in the neurons. It is drawn again for each change.
import { four, three } from "./numbers.js";

const WIDTH = 92, HEIGHT = 66, LABEL = { width: 42, height: 15 };
// The labels of edges stand between `first` pixels and a part of the way: further on, edges come together
const LANES = { upright: { first: 14, part: 0.58 }, flat: { first: 28, part: 0.72 } };
const TARGET = { right: 82, below: 40 }; // the space for the targets beside the outputs
const SUBSCRIPT = "₀₁₂₃₄₅₆₇₈₉";

// Return the name of a neuron in layer l (the first hidden layer has number 1): 1,0
export function place(l, k) {
  return `${l + 1},${k}`;
}

// Return a name with its place as subscripts: Δ₁,₀
export function subscript(name, l, k) {
  return name + place(l, k).replace(/\d/g, (digit) => SUBSCRIPT[digit]);
}

// Return the places of neurons in `space` pixels; upright pictures have the inputs at the top
function layout(sizes, upright, space) {
  const most = Math.max(...sizes), between = (low, x, high) => Math.max(low, Math.min(x, high));
  const across = upright ? between(WIDTH + 10, space / most, WIDTH + 70) : between(HEIGHT + 22, 420 / most, HEIGHT + 56);
  const { first, part } = upright ? LANES.upright : LANES.flat, lane = upright ? LABEL.height : LABEL.width;
  const gaps = sizes.slice(1).map((size) => Math.max(upright ? 60 : 100, (first + (size - 1) * lane) / part));
  const taken = sizes.length * WIDTH + gaps.reduce((sum, gap) => sum + gap, 0) + TARGET.right;
  const more = upright ? 0 : between(0, (space - taken) / gaps.length, 60);
  const places = [0];
  gaps.forEach((gap, l) => places.push(places[l] + (upright ? HEIGHT : WIDTH) + gap + more));
  const point = (l, k) => {
    const along = places[l], aside = ((most - sizes[l]) * across) / 2 + k * across;
    return upright ? { x: aside, y: along } : { x: along, y: aside };
  };
  const wide = (most - 1) * across, long = places.at(-1);
  return { point, width: (upright ? wide : long) + WIDTH, height: (upright ? long : wide) + HEIGHT };
}

const NS = "http://www.w3.org/2000/svg";

function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(NS, tag);
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  element.append(...children);
  return element;
}

// Return an SVG. `look` has: net, x, t, sums, outs, deltas (numbers, or null where they are hidden), flat and dead
// (truths), chosen. `on` has the functions choose(l, k) and edit(l, k, j)
export function picture(look, upright, space, on) {
  const { net, x } = look, { point, ...size } = layout([x.length, ...net.map(({ b }) => b.length)], upright, space);
  const width = size.width + (upright ? 0 : TARGET.right) + 8, height = size.height + (upright ? TARGET.below : 0) + 26;
  const scale = Math.max(0.9, Math.min(upright ? 1.1 : 1.3, space / width)); // larger where there is space
  const svg = draw("svg", {
    width: scale * width, height: scale * height, viewBox: `-4 -20 ${width} ${height}`, role: "group",
    "aria-label": "the net: arrow keys go from neuron to neuron",
  });
  const edges = draw("g", { class: "edges", "aria-hidden": "true" }), labels = draw("g", { class: "labels", "aria-hidden": "true" });
  net.forEach(({ W }, l) => W.forEach((row, k) => row.forEach((w, j) => {
    const [line, label] = edge(look, { l, k, j, count: W.length }, w, point, upright);
    label.addEventListener("click", () => on.edit(l, k, j));
    edges.append(line);
    labels.append(label);
  })));
  const inputs = draw("g", { class: "inputs" }), neurons = draw("g", { class: "neurons" });
  x.forEach((x_i, i) => inputs.append(box(`x${SUBSCRIPT[i]}`, [["x", four(x_i)]], point(0, i), "input")));
  net.forEach(({ b }, l) => b.forEach((_, k) => {
    const element = neuron(look, l, k, point(l + 1, k));
    element.addEventListener("click", () => on.choose(l, k));
    neurons.append(element);
    if (l === net.length - 1) neurons.append(target(look.t[k], point(l + 1, k), upright));
  }));
  svg.append(edges, inputs, neurons, labels);
  return svg;
}

// Return the line of a weight and its label
function edge({ chosen }, { l, k, j, count }, w, point, upright) {
  const from = point(l, j), to = point(l + 1, k), { first, part } = upright ? LANES.upright : LANES.flat;
  const start = upright ? { x: from.x + WIDTH / 2, y: from.y + HEIGHT } : { x: from.x + WIDTH, y: from.y + HEIGHT / 2 };
  const end = upright ? { x: to.x + WIDTH / 2, y: to.y } : { x: to.x, y: to.y + HEIGHT / 2 };
  const near = first / (upright ? end.y - start.y : end.x - start.x);
  const share = count === 1 ? 0.42 : near + (part - near) * (k / (count - 1));
  const into = l === chosen[0] && k === chosen[1], out = l - 1 === chosen[0] && j === chosen[1];
  const kind = `${into ? " into" : ""}${out ? " out" : ""}${w < 0 ? " negative" : ""}`, name = `${l}.${k}.${j}`;
  const line = draw("line", {
    class: `edge${kind}`, "data-edge": name, x1: start.x, y1: start.y, x2: end.x, y2: end.y,
    "stroke-width": (0.8 + 3.2 * Math.min(1, Math.abs(w) / 2)).toFixed(2),
  });
  const [x, y] = [start.x + share * (end.x - start.x), start.y + share * (end.y - start.y) + 4];
  return [line, draw("g", { class: `weight${kind}`, "data-edge": name }, text(x, y, "middle", three(w)))];
}

function neuron({ net, chosen, sums, outs, deltas, flat, dead }, l, k, at) {
  const show = (x) => (x === null ? "?" : four(x)), isChosen = l === chosen[0] && k === chosen[1];
  const badge = dead[l][k] ? "dead" : flat[l][k] ? "saturated" : "", kind = `neuron${isChosen ? " chosen" : ""}${badge ? " flat" : ""}`;
  const rows = [["in", show(sums[l][k])], ["a", show(outs[l][k])], ["Δ", show(deltas[l][k])]];
  const element = box(place(l, k), rows, at, kind, badge || (net[l].activation ?? "linear"));
  const texts = [...element.querySelectorAll("text")].map((one) => one.textContent).join(" ");
  const attributes = {
    "data-neuron": `${l}.${k}`, role: "button", tabindex: isChosen ? 0 : -1, "aria-pressed": isChosen,
    "aria-label": `${texts}, ${l === net.length - 1 ? "output" : "hidden"} neuron`,
  };
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  return element;
}

function target(t, { x, y }, upright) {
  const words = `t = ${four(t)}`;
  return upright ? text(x + WIDTH / 2, y + HEIGHT + 18, "middle", words) : text(x + WIDTH + 8, y + HEIGHT / 2 + 5, "start", words);
}

// Return a box with its name, a note, and rows of a letter and a number; the spaces part the words for screen readers
function box(name, rows, { x, y }, kind, note = "") {
  const frame = draw("rect", { class: "box", width: WIDTH, height: HEIGHT, rx: 8 });
  const group = draw("g", { class: kind, transform: `translate(${x} ${y})` }, frame, text(2, -6, "start", name, "name"));
  group.append(" ", text(WIDTH - 2, -6, "end", note, "note"));
  rows.forEach(([letter, number], i) => {
    const middle = rows.length === 1 ? HEIGHT / 2 + 5 : 19 + i * 20;
    group.append(" ", text(8, middle, "start", letter, "letter"), " ", text(WIDTH - 7, middle, "end", number, "number"));
  });
  return group;
}

function text(x, y, anchor, words, kind = "") {
  return draw("text", { class: kind, x, y, "text-anchor": anchor }, words);
}
