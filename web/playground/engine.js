// A small autograd engine: each Value records its parents and the local gradient towards each of them.
import { rows } from "./rows.js";

export class Value {
  constructor(data, parents = [], local = []) {
    this.data = data;
    this.parents = parents;
    this.local = local;
    this.grad = 0;
  }
}

// Return the node that a row of the table computes from its parents
export function record(symbol, ...parents) {
  const { value, partials } = rows[symbol], numbers = parents.map((parent) => parent.data), y = value(...numbers);
  return new Value(y, parents, partials.map((partial) => partial(...numbers, y)));
}

// Return the node b + Σ w a, added from left to right
export function weightedSum(weights, inputs, bias) {
  let sum = bias.data;
  weights.forEach((w, i) => { sum += w.data * inputs[i].data; });
  const local = [...inputs.map((a) => a.data), ...weights.map((w) => w.data), 1];
  return new Value(sum, [...weights, ...inputs, bias], local);
}

// Return the node log Σ exp(a); its local gradients are the softmax
export function logSumExp(values) {
  const largest = Math.max(...values.map((value) => value.data));
  const powers = values.map((value) => Math.exp(value.data - largest)), sum = powers.reduce((s, p) => s + p, 0);
  return new Value(largest + Math.log(sum), values, powers.map((power) => power / sum));
}

// Return every node that the root was computed from, parents before children, the root last
export function topologicalOrder(root) {
  const order = [], seen = new Set([root]), stack = [[root, 0]];
  while (stack.length) {
    const top = stack.at(-1), [node, next] = top;
    if (next === node.parents.length) {
      order.push(node);
      stack.pop();
    } else {
      top[1] += 1;
      const parent = node.parents[next];
      if (!seen.has(parent)) { seen.add(parent); stack.push([parent, 0]); }
    }
  }
  return order;
}

// Set the gradient ∂root/∂node of every node
export function backward(root) {
  const order = topologicalOrder(root);
  order.forEach((node) => { node.grad = 0; });
  root.grad = 1;
  for (const node of order.reverse()) {
    node.parents.forEach((parent, i) => { parent.grad += node.grad * node.local[i]; }); // the chain rule
  }
}

const constant = (x) => new Value(x);
const total = (values) => values.reduce((sum, value) => record("+", sum, value));
const mean = (values) => record("*", total(values), constant(1 / values.length));
const square = (value) => record("*", value, value);
const difference = (a, t) => record("-", constant(t), a);

// name: E(outputs, targets) as a node
export const losses = {
  half_squared_error: (a, t) => record("*", constant(0.5), total(a.map((a_k, k) => square(difference(a_k, t[k]))))),
  mean_squared_error: (a, t) => mean(a.map((a_k, k) => square(difference(a_k, t[k])))),
  hinge: (a, t) => mean(a.map((a_k, k) => record("relu", record("-", constant(1), record("*", constant(t[k]), a_k))))),
  binary_cross_entropy: (a, t) => mean(a.map((a_k, k) => record("softplus", t[k] ? record("neg", a_k) : a_k))),
  cross_entropy: (a, t) => record("-", logSumExp(a), a[t.indexOf(1)]),
};

// Return E, and by the backward pass Δ = -∂E/∂in of every neuron and -∂E/∂w, -∂E/∂b of every parameter
export function byAutograd(net, x, t, loss) {
  let signals = x.map(constant);
  const sums = [], parameters = [];
  for (const { W, b, activation } of net) {
    const weights = W.map((row) => row.map(constant)), biases = b.map(constant);
    sums.push(weights.map((row, k) => weightedSum(row, signals, biases[k])));
    parameters.push({ W: weights, b: biases });
    signals = activation === null ? sums.at(-1) : sums.at(-1).map((z) => record(activation, z));
  }
  const root = losses[loss](signals, t), minus = (node) => -node.grad;
  backward(root);
  return {
    error: root.data,
    deltas: sums.map((layer) => layer.map(minus)),
    gradients: parameters.map(({ W, b }) => ({ W: W.map((row) => row.map(minus)), b: b.map(minus) })),
  };
}
