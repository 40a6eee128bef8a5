// Points in the plane with classes 0 and 1, as nn.data makes them, and the initial weights of nn.init.
import { Random } from "./random.js";

const { cos, sin, sqrt, PI } = Math;
const corners = [[0, 0], [0, 1], [1, 1], [1, 0]];

// name: the number of kinds of points, and the point of a kind at `where`, from 0 to 1
export const datasets = {
  moons: { kinds: 2, point: (k, where) => {
    const [c, s] = [cos(PI * where), sin(PI * where)];
    return k === 0 ? [c, s] : [1 - c, 0.5 - s];
  } },
  circles: { kinds: 2, point: (k, where) => {
    const r = 1 - 0.5 * k;
    return [r * cos(2 * PI * where), r * sin(2 * PI * where)];
  } },
  spirals: { kinds: 2, point: (k, where) => {
    const r = 0.1 + 0.9 * where, angle = PI * (3 * where + k);
    return [r * cos(angle), r * sin(angle)];
  } },
  xor: { kinds: 4, point: (k) => corners[k] },
};

// Return n points { x, c }: the kinds alternate, and those of each are spread evenly
export function scatter(name, n, noise, seed) {
  const { kinds, point } = datasets[name], random = new Random(seed);
  return Array.from({ length: n }, (_, i) => {
    const turn = Math.floor(i / kinds), k = i % kinds, count = Math.ceil((n - k) / kinds);
    return { x: point(k, (turn + 0.5) / count).map((p) => p + (noise ? random.gauss(0, noise) : 0)), c: k % 2 };
  });
}

// Return the target of a class: as many numbers as the net has outputs
export function target(loss, outputs, c) {
  const no = loss === "hinge" ? -1 : 0;
  return outputs === 1 ? [c ? 1 : no] : Array.from({ length: outputs }, (_, k) => (k === c ? 1 : no));
}

// name: (random, number of inputs, number of neurons in the layer) -> one weight
export const initializers = {
  uniform: (random) => random.uniform(-1, 1),
  zeros: () => 0,
  normal: (random) => random.gauss(0, 1),
  xavier: (random, nin, nout) => random.uniform(-sqrt(6 / (nin + nout)), sqrt(6 / (nin + nout))),
  he: (random, nin) => random.gauss(0, sqrt(2 / nin)),
  lecun: (random, nin) => random.gauss(0, sqrt(1 / nin)),
};

// Return a net with the weights of nn.MLP for random.Random(seed); the biases are 0
export function makeNet(sizes, activations, initializer, seed) {
  const random = new Random(seed);
  return activations.map((activation, l) => ({
    W: Array.from({ length: sizes[l + 1] }, () =>
      Array.from({ length: sizes[l] }, () => initializers[initializer](random, sizes[l], sizes[l + 1]))),
    b: Array(sizes[l + 1]).fill(0),
    activation,
  }));
}
