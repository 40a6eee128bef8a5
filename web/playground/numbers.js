// Numbers as text: four significant digits for people, and what people type as numbers.

// Return a number with four significant digits, with a true minus sign
export function four(x) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "undefined" : x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const [digits, exponent] = x.toExponential(3).split("e");
  const small = exponent < -4 || exponent >= 5;
  const text = small ? `${Number(digits)}e${Number(exponent)}` : String(Number(`${digits}e${exponent}`));
  return text.replaceAll("-", "−");
}

// Return a number as a factor: a negative one is in brackets
export function factor(x) {
  return x < 0 ? `(${four(x)})` : four(x);
}

// Return a weight for its edge: three significant digits
export function three(x) {
  if (x === 0 || !Number.isFinite(x)) return four(x);
  const rounded = Number(x.toPrecision(3)), size = Math.abs(rounded);
  const text = size < 1e-3 || size >= 1e4 ? rounded.toExponential().replace("e+", "e") : String(rounded);
  return text.replaceAll("-", "−");
}

// Return the number that a text means (0.5, 0,5, 1e-3, 1/3, −2), or NaN
export function parse(text) {
  const parts = text.trim().replace(/[−–]/g, "-").replace(",", ".").split("/");
  const numbers = parts.map((part) => (part.trim() === "" ? NaN : Number(part)));
  const x = numbers.length === 1 ? numbers[0] : numbers.length === 2 ? numbers[0] / numbers[1] : NaN;
  return Number.isFinite(x) ? x : NaN;
}
