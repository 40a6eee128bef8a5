// Elements of the page. Every text is set as text, so none can become markup.

export const $ = (id) => document.getElementById(id);

// Return a new element; `label` is its name for screen readers
export function make(tag, properties = {}, ...children) {
  const { label, data, ...others } = properties, element = Object.assign(document.createElement(tag), others);
  if (label) element.setAttribute("aria-label", label);
  Object.assign(element.dataset, data);
  element.append(...children);
  return element;
}

export function button(text, onclick, properties = {}) {
  return make("button", { type: "button", textContent: text, onclick, ...properties });
}

// Return a list to choose from; the options are pairs of a value and its text
export function select(label, options, value, onchange) {
  const made = options.map(([key, text]) => make("option", { value: key, textContent: text, selected: key === value }));
  return make("select", { label, onchange: ({ target }) => onchange(target.value) }, ...made);
}

export function textField(label, value = "", properties = {}) {
  return make("input", { type: "text", value: String(value), autocomplete: "off", label, ...properties });
}

// Return a formula as nodes: w_jk with its indices below, e^(x) and e^in with the exponent above
export function mathematics(text) {
  return text.split(/(_[jk]+|\^in|\^\((?:[^()]|\([^()]*\))*\))/).map((part) => {
    if (part[0] === "_") return make("sub", { textContent: part.slice(1) });
    return part[0] === "^" ? make("sup", { textContent: part.slice(1).replace(/^\((.*)\)$/, "$1") }) : part;
  });
}

// Return a function that gives the focus to the control that has it now, or to the one that replaced it
export function keepFocus() {
  const before = document.activeElement, where = before.closest("[id]:not([id=''], input, select, button)")?.id;
  const name = (one) => [one.tagName, one.name, one.textContent, one.getAttribute("aria-label")].join();
  const wanted = name(before), isNeuron = "neuron" in before.dataset;
  return () => {
    if (!where || document.body.contains(before)) return;
    const again = isNeuron ? $(where).querySelector(".chosen")
      : [...$(where).querySelectorAll("button, input, select")].find((one) => name(one) === wanted && !one.disabled);
    again?.focus({ preventScroll: true });
  };
}
