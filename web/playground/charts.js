// The charts of training: the boundary with the points, the loss, and |Δ| of each layer on a log scale.
import { four } from "./numbers.js";

const NS = "http://www.w3.org/2000/svg";
const DASHES = ["", "7 3", "2 3", "9 3 2 3", "4 4", "1 4", "12 4", "6 2 1 2", "3 1", "10 2 2 2 2 2", "5 5"];

// Return the part of the plane that shows all points, square
export function frame(points) {
  const [xs, ys] = [0, 1].map((i) => points.map(({ x }) => x[i]));
  const middle = (v) => (Math.min(...v) + Math.max(...v)) / 2, spread = (v) => Math.max(...v) - Math.min(...v);
  const half = Math.max(spread(xs), spread(ys), 1) * 0.62, [cx, cy] = [middle(xs), middle(ys)];
  return { left: cx - half, right: cx + half, bottom: cy - half, top: cy + half };
}

// Paint the margins of a grid: the colour is the class, its strength the certainty; a dark line is the boundary
export function paintBoundary(canvas, grid, size, colours) {
  const context = canvas.getContext("2d"), cell = canvas.width / size, { paper, one, zero, ink } = colours;
  const small = document.createElement("canvas"), image = new ImageData(size, size);
  const [base, ...sides] = [paper, zero, one].map(channels);
  grid.forEach((m, i) => {
    const share = Number.isNaN(m) ? 0 : 0.08 + 0.5 * Math.min(1, Math.abs(m)), colour = sides[m > 0 ? 1 : 0];
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = base[c] + share * (colour[c] - base[c]);
    image.data[4 * i + 3] = 255;
  });
  small.width = small.height = size;
  small.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  context.fillStyle = context.strokeStyle = ink;
  context.lineWidth = 1;
  context.beginPath();
  grid.forEach((m, i) => {
    const x = i % size, y = Math.floor(i / size), side = m > 0;
    if (Number.isNaN(m)) { // not defined: a stroke through the cell
      context.moveTo(x * cell, (y + 1) * cell);
      context.lineTo((x + 1) * cell, y * cell);
    }
    if (x + 1 < size && side !== grid[i + 1] > 0) context.fillRect((x + 1) * cell - 1, y * cell, 2, cell);
    if (y + 1 < size && side !== grid[i + size] > 0) context.fillRect(x * cell, (y + 1) * cell - 1, cell, 2);
  });
  context.stroke();
}

function channels(hex) { // of a colour such as #1a2b3c
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
}

// Draw the points: class 0 as circles, class 1 as triangles, and a ring around the example
export function paintPoints(canvas, points, box, example, colours) {
  const context = canvas.getContext("2d"), r = canvas.width / 70;
  points.forEach(({ x, c }, i) => {
    const px = ((x[0] - box.left) / (box.right - box.left)) * canvas.width;
    const py = ((box.top - x[1]) / (box.top - box.bottom)) * canvas.height;
    context.beginPath();
    if (c === 1) {
      context.moveTo(px, py - r * 1.3);
      context.lineTo(px + r * 1.2, py + r);
      context.lineTo(px - r * 1.2, py + r);
      context.closePath();
    } else context.arc(px, py, r, 0, 7);
    context.fillStyle = c === 1 ? colours.one : c === 0 ? colours.zero : colours.ink;
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = colours.paper;
    context.stroke();
    if (i === example) {
      context.beginPath();
      context.arc(px, py, r * 2.2, 0, 7);
      context.lineWidth = 3;
      context.strokeStyle = colours.ink;
      context.stroke();
    }
  });
}

// Return a chart of curves { name, values } over the epochs, on a log scale if it is asked for
export function chart(curves, epochs, title, log) {
  const width = 320, height = 200, left = 46, right = 40, top = 10, bottom = 24;
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title, class: "chart" });
  const scale = (v) => (log ? Math.log10(Math.max(v, 1e-12)) : v);
  const numbers = curves.flatMap(({ values }) => values).filter(Number.isFinite).map(scale);
  if (!numbers.length) return svg;
  let low = log ? Math.floor(Math.min(...numbers)) : 0, high = log ? Math.ceil(Math.max(...numbers)) : Math.max(...numbers) * 1.05 || 1;
  if (low === high) { low -= 1; high += 1; }
  const from = epochs[0], to = Math.max(epochs.at(-1), from + 1);
  const px = (epoch) => left + ((epoch - from) / (to - from)) * (width - left - right);
  const py = (v) => height - bottom - ((scale(v) - low) / (high - low)) * (height - top - bottom);
  const ticks = log ? powers(low, high) : [0, high / 2, high];
  ticks.forEach((tick) => {
    const value = log ? 10 ** tick : tick, y = py(value);
    svg.append(draw("line", { class: "grid", x1: left, y1: y, x2: width - right, y2: y }),
      draw("text", { x: left - 4, y: y + 4, "text-anchor": "end" }, log ? exponent(tick) : four(Number(tick.toPrecision(2)))));
  });
  svg.append(draw("text", { x: left, y: height - 6 }, `epoch ${from}`),
    draw("text", { x: width - right, y: height - 6, "text-anchor": "end" }, String(epochs.at(-1))));
  let labelled = [];
  curves.forEach(({ name, values }, i) => {
    const points = values.map((v, e) => (Number.isFinite(v) ? `${px(epochs[e]).toFixed(1)},${py(v).toFixed(1)}` : null)).filter(Boolean);
    const dashes = DASHES[i % DASHES.length];
    svg.append(draw("polyline", { points: points.join(" "), class: `curve curve${i % 4}`, "stroke-dasharray": dashes }));
    const end = values.at(-1);
    if (!Number.isFinite(end)) return;
    svg.append(draw("circle", { cx: px(epochs.at(-1)), cy: py(end), r: 3, class: `curve end curve${i % 4}` }));
    if (name) labelled.push({ name, y: py(end) });
  });
  labelled = labelled.sort((a, b) => a.y - b.y);
  labelled.forEach((label, i) => {
    if (i) label.y = Math.max(label.y, labelled[i - 1].y + 12);
  });
  const over = labelled.length ? Math.max(0, labelled.at(-1).y - (height - bottom)) : 0;
  labelled.forEach(({ name, y }) => svg.append(draw("text", { x: width - right + 5, y: y - over + 4 }, name)));
  return svg;
}

function powers(low, high) {
  const stride = Math.ceil((high - low) / 5), found = [];
  for (let tick = low; tick <= high; tick += stride) found.push(tick);
  return found;
}

function exponent(n) {
  return `10${String(n).replace("-", "⁻").replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit])}`;
}

function draw(tag, attributes, ...children) {
  const element = document.createElementNS(NS, tag);
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  element.append(...children);
  return element;
}
