// Examples to start from, each with one sentence. The address #preset=key opens one.

export const presets = [
  {
    key: "first", name: "A first look",
    sentence: "Two inputs, two hidden neurons, two outputs (one for each class). Choose a neuron, and read where its Δ comes from.",
    state: {},
  },
  {
    key: "mazur", name: "Mazur’s example",
    sentence: "The numbers of a well-known worked example (Matt Mazur, 2015): follow its backward pass digit by digit. In that text each layer has one bias, which is not trained.",
    state: {
      data: "one", own: { x: [0.05, 0.1], t: [0.01, 0.99] }, hidden: [2], outputs: 2, activations: ["sigmoid", "sigmoid"],
      rate: 0.5, momentum: 0, example: 0,
      weights: [0.15, 0.2, 0.35, 0.25, 0.3, 0.35, 0.4, 0.45, 0.6, 0.5, 0.55, 0.6],
    },
  },
  {
    key: "xor", name: "XOR",
    sentence: "No straight line separates these classes. Press Run: the hidden layer bends the boundary until it fits.",
    state: { data: "xor", n: 80, hidden: [4], outputs: 1, activations: ["tanh", null], loss: "binary_cross_entropy", initializer: "xavier", seed: 1, rate: 0.5 },
  },
  {
    key: "dead", name: "A dead relu",
    sentence: "The first hidden neuron has a bias so low that its in is below 0 for every point: g'(in) = 0, so its Δ is 0, and no step changes its weights.",
    state: {
      data: "moons", n: 60, hidden: [3], outputs: 1, activations: ["relu", null], loss: "binary_cross_entropy", rate: 0.2, momentum: 0,
      weights: [0.6, 0.4, -6, -0.8, 0.9, 0.3, 0.7, 0.5, 0.1, 0.9, -0.7, 0.6, 0],
    },
  },
  {
    key: "deep", name: "A deep sigmoid net that stalls",
    sentence: "Seven hidden layers of sigmoid: g'(in) is at most 0.25, so each layer back makes Δ smaller. Press Run and look at the chart of |Δ|: the first layers hardly learn.",
    state: {
      data: "moons", n: 60, hidden: [3, 3, 3, 3, 3, 3, 3], outputs: 1, activations: [...Array(7).fill("sigmoid"), null], initializer: "xavier",
      loss: "binary_cross_entropy", seed: 3, rate: 0.5, momentum: 0,
    },
  },
  {
    key: "equal", name: "All weights equal",
    sentence: "Every weight is 0.5, so the hidden neurons have the same Δ, make the same step, and stay equal. Random initial weights break this symmetry.",
    state: {
      data: "circles", n: 60, hidden: [4], outputs: 1, activations: ["tanh", null], loss: "binary_cross_entropy", rate: 0.5, momentum: 0,
      weights: [...Array(4).fill([0.5, 0.5, 0]).flat(), 0.5, 0.5, 0.5, 0.5, 0],
    },
  },
];
