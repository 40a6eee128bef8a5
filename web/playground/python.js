// The state as a Python program with the same forward pass, the same Δ, and the same steps.
import { flat, samples } from "./state.js";

// Return the program
export function toPython(state, { x, t }) {
  const all = samples(state), moving = flat(state.velocity).some((v) => v);
  const target = (t) => number(state.loss === "cross_entropy" ? t.indexOf(1) : t);
  const sizes = [...state.hidden, state.outputs].join(", ");
  const names = state.activations.map((name) => (name === null ? "None" : JSON.stringify(name))).join(", ");
  const order = state.batch
    ? `batches(xs, ts, ${state.batch}, random.Random(${(state.seed + state.epoch) >>> 0}))`
    : "[(xs, ts)]";
  return `# The state of chalkgrad's playground after ${state.epoch} epochs. It needs chalkgrad only.
${state.batch ? "import random\n\nfrom nn import MLP, batches, deltas, losses" : "from nn import MLP, deltas, losses"}

# the net: its sizes, its activations, and its weights, neuron by neuron, each with its bias last
model = MLP(2, [${sizes}])
for layer, activation in zip(model.layers, [${names}]):
    for neuron in layer.neurons:
        neuron.activation = activation
weights = ${list(flat(state.net))}
for p, number in zip(model.parameters(), weights):
    p.data = number
loss = losses.${state.loss}

# one example: its outputs, and Δ of every neuron in three ways
x, t = ${number(x)}, ${target(t)}
print("outputs", model.predict(x))
report = deltas(model, x, t, loss)
print(report)

# its step by hand: w + η a Δ (not made here)
rate = ${number(state.rate)}
stepped = {(row.layer, row.index, row.input): row.weight + rate * row.product for row in report.weights}

# one epoch of training on the data
xs = ${list(all.map((sample) => number(sample.x)))}
ts = ${list(all.map((sample) => target(sample.t)))}
momentum = ${number(state.momentum)}
velocity = ${moving ? list(flat(state.velocity)) : "[0.0] * len(weights)"}
for batch_xs, batch_ts in ${order}:
    model.zero_grad()
    for batch_x, batch_t in zip(batch_xs, batch_ts):
        loss(model(batch_x), batch_t).backward()
    for i, p in enumerate(model.parameters()):
        velocity[i] = momentum * velocity[i] + p.grad / len(batch_xs)
        p.data -= rate * velocity[i]
print("after one epoch", [p.data for p in model.parameters()])
`;
}

// Return numbers as Python writes floats
function number(x) {
  if (Array.isArray(x)) return `[${x.map(number).join(", ")}]`;
  return String(x);
}

function list(entries) {
  const lines = [];
  let line = "   ";
  for (const entry of entries) {
    const text = ` ${typeof entry === "string" ? entry : number(entry)},`;
    if (line.length + text.length > 100) { lines.push(line); line = "   "; }
    line += text;
  }
  return `[\n${[...lines, line].join("\n")}\n]`;
}
