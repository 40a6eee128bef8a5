// The sentences about a neuron: each is a list of pieces, texts or factors { text, edge, neuron, says } that light up.
import { factor, four } from "./numbers.js";
import { place, subscript } from "./picture.js";
import { rows } from "./rows.js";
import { functions, losses, softmax } from "./textbook.js";

const SIGNAL = {
  half_squared_error: () => "(t_k − a_k)",
  mean_squared_error: (n) => (n === 1 ? "2 (t_k − a_k)" : `2/${n} (t_k − a_k)`),
  hinge: (n) => `(${n === 1 ? "t_k" : `t_k / ${n}`} if t_k a_k < 1, else 0)`,
  binary_cross_entropy: (n) => (n === 1 ? "(t_k − σ(a_k))" : `(t_k − σ(a_k)) / ${n}`),
  cross_entropy: () => "(t_k − softmax(a)_k)",
};

// Return the rule for Δ of a neuron, without numbers
export function rule(net, loss, l) {
  const { activation } = net[l];
  if (l + 1 < net.length) return `Δ_j = ${activation === null ? "" : "g'(in_j) · "}Σ_k w_jk Δ_k`;
  return `Δ_k = ${activation === null ? "" : "g'(in_k) · "}${SIGNAL[loss](net[l].b.length)}`;
}

// Return the sentence for Δ of neuron k in layer l: the rule with the numbers of `look`
export function deltaSentence(look, loss, l, k) {
  const { net, sums, outs, deltas, t } = look, z = sums[l][k], known = deltas[l][k] !== null;
  const derivative = z === null ? null : functions(net[l].activation).derivative(z);
  const pieces = [`${subscript("Δ", l, k)} = `];
  const own = { text: derivative === null ? "?" : factor(derivative), neuron: `${l}.${k}`, says: `g'(in) of neuron ${place(l, k)}` };
  if (net[l].activation !== null) pieces.push(own, " × ");
  let sum;
  if (l + 1 < net.length) {
    const next = net[l + 1].W;
    pieces.push("(");
    next.forEach((row, m) => {
      const delta = deltas[l + 1][m];
      const edge = `${l + 1}.${m}.${k}`, to = `neuron ${place(l + 1, m)}`;
      pieces.push(...(m ? [" + "] : []), { text: factor(row[k]), edge, says: `the weight from neuron ${place(l, k)} to ${to}` },
        " × ", { text: delta === null ? "?" : factor(delta), neuron: `${l + 1}.${m}`, edge, says: `Δ of ${to}` });
    });
    pieces.push(")");
    sum = deltas[l + 1].includes(null) ? null : next.reduce((s, row, m) => s + row[k] * deltas[l + 1][m], 0);
  } else {
    const [signal, texts] = outputSignal(outs[l], t, loss, k, `${l}.${k}`);
    pieces.push(...texts);
    sum = signal;
  }
  if (net[l].activation !== null && sum !== null && known) pieces.push(` = ${factor(derivative)} × ${factor(sum)}`);
  const result = { text: known ? four(deltas[l][k]) : "?", neuron: `${l}.${k}`, says: `Δ of neuron ${place(l, k)}`, result: true };
  return [...pieces, " = ", result];
}

// Return -∂E/∂a_k and the pieces that show how it comes about
function outputSignal(a, t, loss, k, neuron) {
  if (a[k] === null) return [null, ["?"]];
  const n = a.length, out = (x, says) => ({ text: factor(x), neuron, says }), target = out(t[k], "the target t");
  const signal = losses[loss].signal(a, t)[k], product = t[k] * a[k];
  if (loss === "half_squared_error") return [signal, ["(", target, " − ", out(a[k], "the output a"), ")"]];
  if (loss === "mean_squared_error") {
    return [signal, [n === 1 ? "2 × (" : `2/${n} × (`, target, " − ", out(a[k], "the output a"), ")"]];
  }
  if (loss === "hinge") {
    return [signal, [out(signal, `−∂E/∂a, as t a = ${four(product)} is ${product < 1 ? "below 1" : "not below 1"}`)]];
  }
  const p = loss === "cross_entropy" ? softmax(a)[k] : 1 / (1 + Math.exp(-a[k]));
  const about = loss === "cross_entropy" ? "softmax(a), the probability of this class" : "σ(a), the probability of class 1";
  return [signal, ["(", target, " − ", out(p, about), loss === "cross_entropy" || n === 1 ? ")" : `) / ${n}`]];
}

// Return the pieces of in = b + Σ w a
export function sumSentence(look, l, k) {
  const { net, x, outs, sums } = look, inputs = l ? outs[l - 1] : x;
  const pieces = [`${subscript("in", l, k)} = b + Σ w a = `, { text: factor(net[l].b[k]), neuron: `${l}.${k}`, says: "the bias b" }];
  net[l].W[k].forEach((w, j) => {
    const edge = `${l}.${k}.${j}`, from = source(l, j), a = inputs[j] === null ? "?" : factor(inputs[j]);
    pieces.push(" + ", { text: factor(w), edge, says: `the weight from ${from}` }, " × ",
      { text: a, edge, neuron: l ? `${l - 1}.${j}` : "", says: l ? `a of ${from}` : from });
  });
  return [...pieces, ` = ${sums[l][k] === null ? "?" : four(sums[l][k])}`];
}

// Return the sentence for a = g(in) and g'(in)
export function activationSentence(look, l, k) {
  const { activation } = look.net[l], z = look.sums[l][k], a = look.outs[l][k];
  if (activation === null) {
    return `${subscript("a", l, k)} = in${a === null ? "" : ` = ${four(a)}`}, as this layer is linear: g'(in) = 1`;
  }
  const { kinks, ...row } = rows[activation];
  const [formula, derivative] = [row.formula, row.derivative].map((text) => text.replaceAll("-", "−"));
  if (z === null) return `${activation}: a = ${formula}, g'(in) = ${derivative}`;
  const picked = kinks.find(([point]) => point === z);
  const note = picked ? ` (in = ${four(z)} is a kink, where there is no derivative: the table gives ${four(picked[1])})` : "";
  const told = (name, text, x) => {
    if (text.includes(" if ")) return `${name} is ${text} (here ${four(x)})`;
    return `${name} = ${text}${text === four(x) ? "" : ` = ${four(x)}`}`;
  };
  return `${activation}: ${told("a", formula, a)}, and ${told("g'(in)", derivative, functions(activation).derivative(z))}${note}`;
}

// Return the meaning of Δ in words
export function meaning(delta, l, k) {
  const name = subscript("in", l, k);
  if (delta === null) return "";
  if (delta === 0) {
    return `Δ is 0: a small change of ${name} does not change the error E, so this neuron learns nothing from this example.`;
  }
  const change = four(Math.abs(delta) * 0.01);
  return delta > 0
    ? `Δ is positive: if ${name} grew by 0.01, the error E would fall by about ${change}. A step raises ${name}.`
    : `Δ is negative: if ${name} grew by 0.01, the error E would rise by about ${change}. A step lowers ${name}.`;
}

// Return the name of input j of layer l
export function source(l, j) {
  return l ? `neuron ${place(l - 1, j)}` : subscript("x", -1, j).replace("₀,", "");
}
