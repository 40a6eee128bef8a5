// The picture of a net: every weight on its edge, in and a and Δ in the neurons. It is drawn again for each change.
import { four, three } from "./numbers.js";

const WIDTH = 92, HEIGHT = 66, LABEL = { width: 42, height: 15 };
// The labels of edges stand between `first` pixels and a part of the way: further on, edges come together
const LANES = { upright: { first: 14, part: 0.58 }, flat: { first: 28, part: 0.8 } };
const TARGET = 90; // the width of the targets beside the outputs
const SUBSCRIPT = "₀₁₂₃₄₅₆₇₈₉";

// Return the name of a neuron in layer l (the first hidden layer has number 1): 1,0
export function place(l, k) {
  return `${l + 1},${k}`;
}

// Return a name with its place as subscripts: Δ₁,₀
export function subscript(name, l, k) {
  return name + place(l, k).replace(/\d/g, (digit) => SUBSCRIPT[digit]);
}

// Return the places of neurons and labels in `space` pixels; upright pictures have the inputs at the top
export function layout(sizes, upright, space) {
  const most = Math.max(...sizes), columns = [], between = (low, x, high) => Math.max(low, Math.min(x, high));
  const across = upright ? between(WIDTH + 10, space / most, WIDTH + 70) : between(HEIGHT + 22, 420 / most, HEIGHT + 56);
  let at = 0;
  const lane = upright ? LANES.upright : LANES.flat, gaps = sizes.slice(1).map((lanes) => ( // labels of each neuron of the next layer have a lane of their own
    Math.max(upright ? 60 : 100, (lane.first + (lanes - 1) * (upright ? LABEL.height : LABEL.width)) / lane.part)));
  const taken = sizes.length * WIDTH + gaps.reduce((sum, gap) => sum + gap, 0) + TARGET;
  const more = upright ? 0 : between(0, (space - taken) / gaps.length, 60);
  sizes.forEach((size, l) => {
    columns.push({ at, offset: ((most - size) * across) / 2 });
    at += (upright ? HEIGHT : WIDTH) + (l < gaps.length ? gaps[l] + more : 0);
  });
  const last = at;
  const point = (l, k) => {
    const along = columns[l].at, aside = columns[l].offset + k * across;
    return upright ? { x: aside, y: along } : { x: along, y: aside };
  };
  const size = { width: upright ? (most - 1) * across + WIDTH : last, height: upright ? last : (most - 1) * across + HEIGHT };
  return { point, ...size };
}

const NS = "http://www.w3.org/2000/svg";

function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(NS, tag);
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  element.append(...children);
  return element;
}

// Return an SVG. `look` has: net, x, t, sums, outs, deltas (numbers, or null where they are hidden), flat (places of
// saturated neurons), dead, chosen. `on` has the functions choose(l, k) and edit(l, k, j)
export function picture(look, upright, space, on) {
  const { net, x, t, chosen } = look, sizes = [x.length, ...net.map(({ b }) => b.length)];
  const { point, width, height } = layout(sizes, upright, space), last = net.length - 1, extra = upright ? 0 : TARGET - 8, below = upright ? 40 : 0;
  const scale = Math.max(1, Math.min(upright ? 1.1 : 1.3, space / (width + extra + 8))); // larger where there is space
  const svg = draw("svg", {
    width: scale * (width + extra + 8), height: scale * (height + below + 26), viewBox: `-4 -20 ${width + extra + 8} ${height + below + 26}`, role: "group",
    "aria-label": "the net: arrow keys go from neuron to neuron",
  });
  const edges = draw("g", { class: "edges", "aria-hidden": "true" }), labels = draw("g", { class: "labels", "aria-hidden": "true" });
  net.forEach(({ W }, l) => W.forEach((row, k) => row.forEach((w, j) => {
    const from = point(l, j), to = point(l + 1, k);
    const start = upright ? { x: from.x + WIDTH / 2, y: from.y + HEIGHT } : { x: from.x + WIDTH, y: from.y + HEIGHT / 2 };
    const end = upright ? { x: to.x + WIDTH / 2, y: to.y } : { x: to.x, y: to.y + HEIGHT / 2 };
    const gap = upright ? end.y - start.y : end.x - start.x, { first, part } = upright ? LANES.upright : LANES.flat;
    const share = W.length === 1 ? 0.42 : first / gap + (part - first / gap) * (k / (W.length - 1));
    const middle = { x: start.x + share * (end.x - start.x), y: start.y + share * (end.y - start.y) };
    const into = l === chosen[0] && k === chosen[1], leaves = l - 1 === chosen[0] && j === chosen[1];
    const name = `${l}.${k}.${j}`, kind = `${into ? " into" : ""}${leaves ? " out" : ""}${w < 0 ? " negative" : ""}`;
    edges.append(draw("line", {
      class: `edge${kind}`, "data-edge": name, x1: start.x, y1: start.y, x2: end.x, y2: end.y,
      "stroke-width": (0.8 + 3.2 * Math.min(1, Math.abs(w) / 2)).toFixed(2),
    }));
    const text = draw("text", { x: middle.x, y: middle.y + 4, "text-anchor": "middle" }, three(w));
    const label = draw("g", { class: `weight${kind}`, "data-edge": name }, text);
    label.addEventListener("click", () => on.edit(l, k, j));
    labels.append(label);
  })));
  const inputs = draw("g", { class: "inputs" }), neurons = draw("g", { class: "neurons" });
  x.forEach((x_i, i) => {
    const { x: left, y: top } = point(0, i);
    inputs.append(box(`x${SUBSCRIPT[i]}`, [["x", four(x_i)]], left, top, "input"));
  });
  net.forEach(({ b, activation }, l) => b.forEach((bias, k) => {
    const at = point(l + 1, k), selected = l === chosen[0] && k === chosen[1];
    const badge = look.dead[l][k] ? "dead" : look.flat[l][k] ? "saturated" : "";
    const rows = [["in", show(look.sums[l][k])], ["a", show(look.outs[l][k])], ["Δ", show(look.deltas[l][k])]];
    const element = box(place(l, k), rows, at.x, at.y, `neuron${selected ? " chosen" : ""}${badge ? " flat" : ""}`, badge || (activation ?? "linear"));
    element.dataset.neuron = `${l}.${k}`;
    element.setAttribute("role", "button");
    element.setAttribute("tabindex", selected ? 0 : -1);
    element.setAttribute("aria-pressed", selected);
    const kind = l === last ? "output" : "hidden";
    element.setAttribute("aria-label", `${[...element.querySelectorAll("text")].map((text) => text.textContent).join(" ")}, ${kind} neuron`);
    element.addEventListener("click", () => on.choose(l, k));
    neurons.append(element);
    if (l === last) {
      const [left, top] = upright ? [at.x + WIDTH / 2, at.y + HEIGHT + 18] : [at.x + WIDTH + 8, at.y + HEIGHT / 2 + 5];
      neurons.append(draw("text", { class: "target", x: left, y: top, "text-anchor": upright ? "middle" : "start" }, `t = ${four(t[k])}`));
    }
  }));
  svg.append(edges, inputs, neurons, labels);
  return svg;
}

function show(x) {
  return x === null ? "?" : four(x);
}

function box(name, rows, x, y, kind, note = "") {
  const group = draw("g", { class: kind, transform: `translate(${x} ${y})` }, draw("rect", { class: "box", width: WIDTH, height: HEIGHT, rx: 8 }));
  group.append(draw("text", { class: "name", x: 2, y: -5 }, name), " ", draw("text", { class: "note", x: WIDTH - 2, y: -5, "text-anchor": "end" }, note));
  const gap = rows.length === 1 ? 0 : 20;
  rows.forEach(([letter, number], i) => {
    const middle = rows.length === 1 ? HEIGHT / 2 + 5 : 19 + i * gap;
    group.append(" ", draw("text", { class: "letter", x: 8, y: middle }, letter), " ", draw("text", { class: "number", x: WIDTH - 7, y: middle, "text-anchor": "end" }, number));
  });
  return group;
}
