// Backpropagation as the textbook writes it, by hand: in_k, a_k, Δ_k = -∂E/∂in_k and the update w + η a Δ.
//
// A net is a list of layers { W, b, activation }; W[k][j] is the weight from neuron j to neuron k. The targets are
// a list of numbers, one for each output.
import { rows } from "./rows.js";

const identity = { value: (z) => z, derivative: () => 1 };

// Return g and g' of an activation; null stands for a = in
export function functions(activation) {
  if (activation === null) return identity;
  const { value, partials: [derivative] } = rows[activation];
  return { value, derivative: (z) => derivative(z, value(z)) };
}

// Return { sums, outs }: for each layer the list of its in_k = b_k + Σ_j w_jk a_j, and of its a_k = g(in_k)
export function forward(net, x) {
  const sums = [], outs = [];
  let a = x;
  for (const { W, b, activation } of net) {
    const g = functions(activation).value, z = W.map((row, k) => dot(row, a, b[k]));
    a = z.map(g);
    sums.push(z);
    outs.push(a);
  }
  return { sums, outs };
}

// Return Δ_k = g'(in_k) · -∂E/∂a_k of the output neurons
export function outputDeltas(z, a, t, activation, loss) {
  const { derivative } = functions(activation);
  return losses[loss].signal(a, t).map((signal, k) => derivative(z[k]) * signal);
}

// Return Δ_j = g'(in_j) Σ_k w_jk Δ_k of hidden neurons, over the neurons k of the next layer
export function hiddenDeltas(z, activation, W, deltas) {
  const { derivative } = functions(activation);
  return z.map((z_j, j) => derivative(z_j) * dot(W.map((row) => row[j]), deltas, 0));
}

// Return Δ of every neuron, layer by layer, computed from the last layer to the first
export function deltas(net, x, t, loss, { sums, outs } = forward(net, x)) {
  const last = net.length - 1, found = [outputDeltas(sums[last], outs[last], t, net[last].activation, loss)];
  for (let l = last - 1; l >= 0; l--) {
    found.unshift(hiddenDeltas(sums[l], net[l].activation, net[l + 1].W, found[0]));
  }
  return found;
}

// Return -∂E/∂w_jk = a_j Δ_k and -∂E/∂b_k = Δ_k of every layer
export function gradients(net, x, t, loss) {
  const passed = forward(net, x), inputs = [x, ...passed.outs];
  return deltas(net, x, t, loss, passed).map((delta, l) => ({ W: delta.map((d) => inputs[l].map((a) => a * d)), b: delta }));
}

// Return the net after the step w_jk + η a_j Δ_k and b_k + η Δ_k
export function update(net, steps, rate) {
  const moved = (numbers, step) => numbers.map((w, i) => w + rate * step[i]);
  return net.map(({ W, b, activation }, l) => ({
    W: W.map((row, k) => moved(row, steps[l].W[k])), b: moved(b, steps[l].b), activation,
  }));
}

// Return -(E(in + h) - E(in - h)) / 2h of neuron k in layer l: Δ without any calculus
export function nudged(net, x, t, loss, l, k) {
  const z = forward(net, x).sums[l], h = 6e-6 * Math.max(1, Math.abs(z[k])), [low, high] = [z[k] - h, z[k] + h];
  return -(errorFrom(net, z.with(k, high), t, loss, l) - errorFrom(net, z.with(k, low), t, loss, l)) / (high - low);
}

// Return E if the sums of layer l are z
function errorFrom(net, z, t, loss, l) {
  const a = z.map(functions(net[l].activation).value);
  return error(l + 1 < net.length ? forward(net.slice(l + 1), a).outs.at(-1) : a, t, loss);
}

// Return E of the outputs
export function error(outputs, t, loss) {
  return losses[loss].error(outputs, t);
}

const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));
const sum = (numbers) => numbers.reduce((s, x) => s + x, 0);
const squares = (a, t) => sum(a.map((a_k, k) => (t[k] - a_k) ** 2));

// Return the probabilities of the classes
export function softmax(a) {
  const largest = Math.max(...a), powers = a.map((a_k) => Math.exp(a_k - largest)), all = sum(powers);
  return powers.map((power) => power / all);
}

// name: E, and -∂E/∂a_k of each output
export const losses = {
  half_squared_error: { error: (a, t) => squares(a, t) / 2, signal: (a, t) => a.map((a_k, k) => t[k] - a_k) },
  mean_squared_error: {
    error: (a, t) => squares(a, t) / a.length,
    signal: (a, t) => a.map((a_k, k) => (2 * (t[k] - a_k)) / a.length),
  },
  hinge: {
    error: (a, t) => sum(a.map((a_k, k) => Math.max(0, 1 - t[k] * a_k))) / a.length,
    signal: (a, t) => a.map((a_k, k) => (t[k] * a_k < 1 ? t[k] / a.length : 0)),
  },
  binary_cross_entropy: {
    error: (a, t) => sum(a.map((a_k, k) => softplus(t[k] ? -a_k : a_k))) / a.length,
    signal: (a, t) => a.map((a_k, k) => (t[k] ? sigmoid(-a_k) : -sigmoid(a_k)) / a.length),
  },
  cross_entropy: {
    error: (a, t) => {
      const largest = Math.max(...a);
      return Math.log(sum(a.map((a_k) => Math.exp(a_k - largest)))) + largest - a[t.indexOf(1)];
    },
    signal: (a, t) => softmax(a).map((p, k) => t[k] - p),
  },
};

function dot(weights, inputs, bias) {
  let total = bias;
  for (let i = 0; i < weights.length; i++) total += weights[i] * inputs[i];
  return total;
}
