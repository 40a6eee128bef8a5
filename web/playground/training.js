// Training: the mean gradient of each batch, gradient descent with momentum, and what is drawn of it.
import { Random } from "./random.js";
import { error, forward, functions, gradients } from "./textbook.js";

// Return a net of zeros with the shape of `net`: velocities before the first step
export function zeros(net) {
  return net.map(({ W, b }) => ({ W: W.map((row) => row.map(() => 0)), b: b.map(() => 0) }));
}

// Return the samples of an epoch as batches: all in order for size 0, else shuffled by a generator of its own
export function batches(samples, size, seed, epoch) {
  if (!size) return [samples];
  const order = samples.map((_, i) => i);
  new Random((seed + epoch) >>> 0).shuffle(order);
  const found = [];
  for (let first = 0; first < order.length; first += size) found.push(order.slice(first, first + size).map((i) => samples[i]));
  return found;
}

// Make one step on a batch, in place: v ← momentum · v + g and w ← w - rate · v, where g is the mean gradient
export function step(net, velocity, batch, loss, rate, momentum) {
  const sums = zeros(net);
  for (const { x, t } of batch) {
    gradients(net, x, t, loss).forEach(({ W, b }, l) => {
      W.forEach((row, k) => { add(sums[l].W[k], row); });
      add(sums[l].b, b);
    });
  }
  net.forEach((layer, l) => {
    layer.W.forEach((row, k) => { move(row, velocity[l].W[k], sums[l].W[k]); });
    move(layer.b, velocity[l].b, sums[l].b);
  });

  function move(numbers, speeds, minus) {
    minus.forEach((m, i) => {
      speeds[i] = momentum * speeds[i] - m / batch.length;
      numbers[i] -= rate * speeds[i];
    });
  }
}

function add(to, numbers) {
  for (let i = 0; i < numbers.length; i++) to[i] += numbers[i];
}

// Return the mean loss over the samples
export function meanLoss(net, samples, loss) {
  return samples.reduce((sum, { x, t }) => sum + error(forward(net, x).outs.at(-1), t, loss), 0) / samples.length;
}

// Return the fraction of the samples whose class is the one that the net predicts
export function accuracy(net, samples, loss) {
  const correct = samples.filter(({ x, t }) => {
    const [truth, answer] = [t, forward(net, x).outs.at(-1)].map((outputs) => margin(outputs, loss) > 0);
    return truth === answer;
  });
  return correct.length / samples.length;
}

// Return how far the outputs are on the side of class 1: 0 at the boundary
export function margin(outputs, loss) {
  if (outputs.length > 1) return outputs[1] - outputs[0];
  return outputs[0] - (loss.endsWith("squared_error") ? 0.5 : 0);
}

// Return the margins on a grid of size × size points, row by row from the top; NaN where the net is not defined
export function boundary(net, loss, { left, right, bottom, top }, size) {
  const count = size * size, xs = new Float64Array(count), ys = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    xs[i] = left + ((right - left) * ((i % size) + 0.5)) / size;
    ys[i] = top + ((bottom - top) * (Math.floor(i / size) + 0.5)) / size;
  }
  let signals = [xs, ys]; // of each neuron, one number for each point
  for (const { W, b, activation } of net) {
    const g = functions(activation).value;
    signals = W.map((row, k) => {
      const z = new Float64Array(count).fill(b[k]);
      row.forEach((w, j) => { addScaled(z, w, signals[j]); });
      return apply(g, z);
    });
  }
  return Float64Array.from(xs, (_, i) => margin(signals.map((a) => a[i]), loss));
}

function addScaled(z, w, a) {
  for (let i = 0; i < z.length; i++) z[i] += w * a[i];
}

function apply(g, z) {
  for (let i = 0; i < z.length; i++) {
    try { z[i] = g(z[i]); } catch { z[i] = NaN; } // outside the domain of the activation
  }
  return z;
}
