// The player: it replaces the still picture by one that shows each step. `story` has the nodes (parents first),
// the formulas of the operations, and the edges of the backward pass in order; `compute` computes the numbers.
// Every text is set as text, so no label and no title can become markup.
(story, compute, operations) => {
  "use strict";
  const places = document.querySelectorAll(`.chalkgrad[data-story="${story.key}"]:not([data-live])`);
  places.forEach((place) => { place.dataset.live = ""; replace(place); });

  // Numbers and texts

  function four(x) { // to four significant digits, as Python's format writes them
    if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
    if (x === 0) return "0";
    const tie = x.toExponential(50).match(/^(-?\d\.\d\d[02468])50*(e.*)$/); // a tie goes to the even digit
    const [digits, exponent] = (tie ? Number(tie[1] + tie[2]) : x).toExponential(3).split("e");
    if (exponent >= -4 && exponent < 4) return String(Number(`${digits}e${exponent}`));
    return `${Number(digits)}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
  }

  function factor(text) { return text[0] === "-" ? `(${text})` : text; }

  function parse(text) { // 0.5, 0,5, 1e-3, 1/3, −2
    const parts = text.trim().replace(/[−–]/g, "-").replace(",", ".").split("/");
    const numbers = parts.map((part) => (part.trim() === "" ? NaN : Number(part)));
    return numbers.length === 1 ? numbers[0] : numbers.length === 2 ? numbers[0] / numbers[1] : NaN;
  }

  function replace(place) {
    const { nodes, fixed } = story, machine = compute(story, operations), root = nodes.length - 1;
    const original = { data: nodes.map((node) => node.data), local: nodes.map((node) => node.local ?? []) };
    const computed = nodes.flatMap((node, i) => (node.parents ? [i] : []));
    const stepOf = new Map(computed.map((i, n) => [i, n + 1]));
    const turn = 1 + computed.length, last = turn + story.backward.length; // at `turn` the root gets its 1
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    let model = original, passed = machine.backward(model.local, story.contributions), largest = 1, changed = false;
    let now = 0, timer = 0, moving = 0, followed = null, chosen = -1, focused = root, scale = 0;
    let predicting = false, revealed = new Set(), asked = 0, right = 0;

    // The page around the picture

    const make = (tag, properties = {}, ...children) => {
      const { label, ...others } = properties;
      const element = Object.assign(document.createElement(tag), others);
      if (label) element.setAttribute("aria-label", label);
      element.append(...children);
      return element;
    };
    const button = (text, label, onclick) => make("button", { type: "button", textContent: text, title: label, label, onclick });
    const svg = picture(place.querySelector("img"));
    const live = (className) => { const e = make("div", { className }); e.setAttribute("aria-live", "polite"); return e; };
    const sentence = live("sentence"), verdict = live("verdict"), about = live("about");
    const stage = make("div", { className: "stage", tabIndex: 0, label: "the graph: arrow up and down go from node to node" }, svg);
    stage.setAttribute("role", "group");
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", "the nodes of the graph");
    const slider = make("input", { type: "range", min: 0, max: last, value: 0, label: "step" });
    const count = make("span", { className: "count" });
    const start = button("play", "play (space)", () => toggle());
    const next = button("▶", "step on (→)", () => go(now + 1));
    const speed = make("select", { label: "speed" }, ...[["slow", 5200], ["normal", 2600], ["fast", 1100], ["faster", 350]]
      .map(([text, value]) => make("option", { value, textContent: text, selected: value === 2600 })));
    const predict = make("input", { type: "checkbox" });
    const guess = make("input", { type: "text", size: 10, autocomplete: "off", label: "your number" });
    const question = make("span", {}), score = make("span", { className: "score" });
    const answer = make("form", { className: "answer", hidden: true }, question, guess,
      make("button", { textContent: "check" }), button("show it", "show it: the number", () => reveal()));
    const bar = make("div", { className: "bar" },
      button("|◀", "first step (Home)", () => go(0)), button("◀", "step back (←)", () => go(now - 1)), start, next,
      button("▶|", "last step (End)", () => go(last)), slider, count);
    const options = make("div", { className: "bar options" },
      make("label", {}, "speed ", speed), make("label", {}, predict, " predict first"), make("span", { className: "space" }),
      button("−", "smaller (-)", () => zoom(scale / 1.25)), button("fit", "fit: the window, with readable text (0)", () => zoom(0)),
      button("+", "larger (+)", () => zoom(scale * 1.25)));
    const heading = story.title || (story.page && "Backpropagation, step by step");
    place.replaceChildren(place.querySelector("style"), ...(heading ? [make("h1", { textContent: heading })] : []),
      sentence, stage, answer, make("div", { className: "result" }, verdict, score), bar, options, about);
    place.setAttribute("role", story.page ? "main" : "region");
    place.setAttribute("aria-label", story.title || "backpropagation, step by step");
    place.classList.toggle("page", story.page);

    // The parts of the picture

    const wide = parseFloat(svg.getAttribute("width")), high = parseFloat(svg.getAttribute("height"));
    const edges = [], lines = [...svg.querySelectorAll(".edge")];
    const boxes = [...svg.querySelectorAll(".node")].map((element, i) => {
      (nodes[i].parents ?? []).forEach((parent, position) => edges.push({ child: i, parent, position, line: lines[edges.length] }));
      element.querySelectorAll("text").forEach((text) => text.after(" ")); // or a screen reader joins the words
      const { e: x, f: y } = element.transform.baseVal[0].matrix, { height } = element.getBBox(), frame = element.querySelector(".box");
      return { element, rows: [...element.querySelectorAll(".row")], bar: element.querySelector(".size"),
        full: frame.width.baseVal.value, x: x + frame.x.baseVal.value, y, width: frame.width.baseVal.value, height };
    });
    svg.classList.toggle("dense", edges.length > 80);
    const edgeOf = new Map(edges.map((edge) => [`${edge.child} ${edge.position}`, edge]));
    const draw = (tag, attributes, ...children) => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
      Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
      element.append(...children);
      return element;
    };

    // The numbers that are shown at this step

    const hidden = (step) => predicting && step > 0 && step !== turn && !revealed.has(step);
    const known = (i) => !nodes[i].parents || (stepOf.get(i) <= now && !(stepOf.get(i) === now && hidden(now)));
    const shown = (i) => (known(i) ? four(model.data[i]) : "?");

    function gradients() {
      const found = nodes.map(() => null);
      if (now >= turn) found[root] = 1;
      passed.slice(0, Math.max(0, now - turn)).forEach(({ parent, total }, i) => {
        if (!hidden(turn + 1 + i) || turn + 1 + i !== now) found[parent] = total;
      });
      return found;
    }

    function fill(text, i, word) { // put names, or numbers, in the place of the letters
      return text.replace(/[\ue000-\uf8ff]/g, (letter, at) => {
        const code = letter.charCodeAt(0), found = word(code === 0xf8ff ? i : nodes[i].parents[code - 0xe000]);
        const alone = text.length === 1 || (/[(,]/.test(text[at - 1] ?? "") && /[),]/.test(text[at + 1] ?? ""));
        return word === shown && !alone ? factor(found) : found;
      });
    }

    const name = (i) => nodes[i].name;
    const sides = (text, i) => [fill(text, i, name), ...(text.includes(" if ") ? [] : [fill(text, i, shown)])];
    const equal = (...parts) => [...new Set(parts)].join(" = ");
    function equation(i) {
      const { formula, definition } = story.operations[nodes[i].operation], [names, ...numbers] = sides(formula, i);
      return equal(name(i), names, ...(definition ? [fill(definition, i, name)] : []), ...numbers, shown(i));
    }
    const kinds = { input: "an input", parameter: "a parameter", leaf: "a leaf", number: "a plain number" };
    const describe = (i) => (nodes[i].parents ? equation(i) : `${name(i)} = ${four(model.data[i])}, ${kinds[nodes[i].kind]}`);

    // The words of a step

    function words() {
      const leaves = nodes.filter((node) => !node.parents && node.kind !== "number").length;
      if (now === 0) return ["Before", `${plural(leaves, "leaf has its number", "leaves have their numbers")}. Nothing is computed yet.`];
      if (now < turn) return [`Forward, step ${now} of ${computed.length}`, equation(computed[now - 1])];
      if (now === turn) return ["Backward", `${name(root)} is computed. The backward pass starts at ${name(root)}, with ∂${name(root)}/∂${name(root)} = 1.`];
      const step = passed[now - turn - 1], { child, parent, upstream, local, contribution, before, total } = step;
      const one = hidden(now) ? "?" : four(contribution);
      const several = edges.filter((edge) => edge.parent === parent).length > 1;
      const sum = several ? `${four(before)} + ${factor(one)} = ${hidden(now) ? "?" : four(total)}` : one;
      return [`Backward, step ${now - turn} of ${passed.length}`,
        `The ${which(step)}edge ${name(parent)} → ${name(child)} has the local gradient ${derivative(step)}.`,
        `Upstream × local = contribution: ${four(upstream)} × ${factor(four(local))} = ${one}.`,
        `The gradient of ${name(parent)} becomes ${sum}.`, ...textbook(step)];
    }

    function plural(n, one, many) { return n === 1 ? `The ${one}` : `The ${n} ${many}`; }

    function which({ child, parent, position }) { // the 2nd edge, where a node is used twice
      const uses = nodes[child].parents.flatMap((other, i) => (other === parent ? [i] : []));
      const n = 1 + uses.indexOf(position);
      return uses.length === 1 ? "" : `${n}${n % 100 > 10 && n % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][n % 10] ?? "th"} `;
    }

    function derivative({ child, position, local }) {
      const text = story.operations[nodes[child].operation].derivatives?.[position];
      if (text === undefined) return `${four(local)}, given by a closure of your own`;
      const at = model.data[nodes[child].parents[0]], kink = story.operations[nodes[child].operation].kinks?.some(([x]) => x === at);
      return equal(...sides(text, child), four(local)) + (kink ? `. (${four(at)} is a kink, without a derivative: the table picks ${four(local)})` : "");
    }

    // What a step means in the textbook: Δₖ = -∂E/∂inₖ
    function textbook({ child, position, upstream, local, contribution, parent }) {
      const [, , kind, z] = story.backward[now - turn - 1];
      if (!kind) return [];
      const product = (a, b) => `${four(a)} · ${factor(four(b))} = ${hidden(now) ? "?" : four(-contribution)}`;
      const delta = `Δₖ, the error signal of ${name(z)}`;
      const share = edges.filter((edge) => edge.parent === parent).length > 1 ? "This step's share of " : "";
      return [`In the textbook: ${{
        hidden: `Δₖ = g'(inₖ) · Σ w Δ = ${product(local, -upstream)}, where inₖ is ${name(z)} and Σ w Δ = -∂${name(root)}/∂aₖ came from the next layer.`,
        output: `Δₖ = g'(inₖ) · (-∂${name(root)}/∂aₖ) = ${product(local, -upstream)}, where inₖ is ${name(z)}, an output.${child === root ? ` Here ${name(root)} takes the place of E.` : ""}`,
        weight: `${share}-∂${name(root)}/∂wⱼₖ = aⱼ · Δₖ = ${product(local, -upstream)}, with ${delta}.`,
        bias: `a bias is a weight whose input is 1. ${share}-∂${name(root)}/∂bₖ = 1 · Δₖ = ${product(local, -upstream)}, with ${delta}.`,
        signal: `one term of Σ w Δ for ${name(parent)}: wⱼₖ · Δₖ = ${product(local, -upstream)}, with ${delta}.`,
      }[kind]}`];
    }

    // Show one step. Its number determines everything shown, so steps can follow in any order

    function go(step, animate = true) {
      const onward = step === now + 1;
      if (onward && hidden(now)) revealed.add(now); // who goes on sees the number
      now = Math.max(0, Math.min(last, step));
      show(animate && onward && !still.matches);
    }

    function show(animated = false) {
      cancelAnimationFrame(moving);
      const found = gradients(), step = now > turn ? passed[now - turn - 1] : null;
      const active = now === 0 ? [] : now < turn ? [computed[now - 1]] : step ? [step.child, step.parent] : [root];
      svg.querySelectorAll(".term, .token").forEach((part) => part.remove());
      boxes.forEach((box, i) => {
        if (nodes[i].kind === "number") return;
        const texts = [`data ${known(i) ? four(model.data[i]) : "–"}`];
        if (!nodes[i].constant) texts.push(`grad ${found[i] === null ? "–" : four(found[i])}`);
        if (nodes[i].z) texts.push(`Δ ${found[i] === null ? "–" : four(-found[i])}`);
        const line = step ? (step.parent === i ? 1 : -1) : active.includes(i) ? (now < turn ? 0 : 1) : -1;
        refresh(box, [...texts, found[i], largest, line, active.includes(i), known(i)], () => {
          const { element, rows, bar, full } = box, size = Math.abs(found[i] ?? 0) / largest;
          rows.forEach((row, n) => { row.textContent = texts[n]; row.classList.toggle("changed", n === line); });
          bar?.setAttribute("width", full * (size <= 1 ? size : size > 1 ? 1 : 0));
          element.dataset.grad = found[i] === null ? "" : machine.repr(found[i]);
          element.setAttribute("aria-label", [...element.querySelectorAll("text")].map((text) => text.textContent).join(" "));
          element.classList.toggle("now", active.includes(i));
          element.classList.toggle("waiting", !known(i));
        });
      });
      const back = new Set(passed.slice(0, Math.max(0, now - turn)).map(({ child, position }) => edgeOf.get(`${child} ${position}`)));
      edges.forEach((edge) => refresh(edge, [back.has(edge), known(edge.child)], () => {
        edge.line.classList.remove("now");
        edge.line.classList.toggle("back", back.has(edge));
        edge.line.classList.toggle("waiting", !known(edge.child));
      }));
      const [phase, ...texts] = words();
      sentence.replaceChildren(make("b", { textContent: phase }), ...texts.map((text) => make("span", { textContent: text })));
      slider.value = now;
      slider.setAttribute("aria-valuetext", `step ${now} of ${last}`);
      count.textContent = `${now} / ${last}`;
      ask();
      if (step) carry(step, animated && !hidden(now));
      keepInView(active.length ? active : [first()]);
      if (followed !== null) describeChosen();
      if (now === last && !hidden(now)) pause();
    }

    function refresh(part, state, draw) { // only what changed is drawn: a browser is slow where it has to lay out
      const text = state.join();
      if (part.state === text) return;
      part.state = text;
      draw();
    }

    // Write the contribution on the edge, and let it move from the child to the parent

    function carry(step, animated) {
      const { child, parent, position, upstream, local, contribution, before, total } = step;
      const edge = edgeOf.get(`${child} ${position}`), { line } = edge, path = line.querySelector("path"), length = path.getTotalLength();
      line.classList.add("now");
      edge.state = boxes[parent].state = ""; // they are drawn anew at the next step
      svg.insertBefore(line, boxes[0].element); // above all other edges
      const away = (low, size) => Math.abs(boxes[child][low] + boxes[child][size] - boxes[parent][low]) * scale;
      const far = away("x", "width") > stage.clientWidth || away("y", "height") > stage.clientHeight;
      const { x, y } = path.getPointAtLength(far ? Math.min(length / 2, 90) : length / 2); // in view with the parent
      const term = note("term", x, y, [symbols(step), `${four(upstream)} × ${factor(four(local))}`, `= ${hidden(now) ? "?" : four(contribution)}`]);
      const { width: broad, height: tall } = term.getBBox(); // on a short edge it would hide the arrow, so it goes above it
      if (length < broad + 30 && y > tall + 12) term.setAttribute("transform", `translate(${x},${y - tall / 2 - 10})`);
      if (!animated) return;
      const grad = boxes[parent].rows[1], bar = boxes[parent].bar, width = bar.getAttribute("width");
      const size = Math.abs(before) / largest * boxes[parent].full;
      const token = note("token", 0, 0, [four(contribution)]), duration = Math.min(1100, Number(speed.value) / 2);
      grad.textContent = `grad ${before === 0 ? "–" : four(before)}`;
      bar.setAttribute("width", size >= 0 ? Math.min(size, boxes[parent].full) : 0);
      svg.append(token);
      let from = 0;
      const frame = (time) => {
        from ||= time;
        const part = Math.min(1, (time - from) / duration), at = path.getPointAtLength(length * (1 - part));
        token.setAttribute("transform", `translate(${at.x},${at.y})`);
        if (part < 1) { moving = requestAnimationFrame(frame); return; }
        token.remove();
        grad.textContent = `grad ${four(total)}`;
        bar.setAttribute("width", width);
      };
      moving = requestAnimationFrame(frame);
    }

    function symbols({ child, position }) {
      const kind = story.backward[now - turn - 1][2], text = story.operations[nodes[child].operation].derivatives?.[position];
      const textbook = { hidden: "-Σ w Δ · g'(inₖ)", output: `∂${name(root)}/∂aₖ · g'(inₖ)`, weight: "-Δₖ · aⱼ", bias: "-Δₖ · 1", signal: "-Δₖ · wⱼₖ" };
      if (kind) return textbook[kind];
      const local = text === undefined ? "local" : fill(text, child, name);
      const product = `∂${name(root)}/∂${name(child)} · ${/ [+-] |^-/.test(local) ? `(${local})` : local}`;
      return product.length <= 24 ? product : "upstream · local";
    }

    function note(kind, x, y, texts) {
      const height = 8 + 17 * texts.length;
      const parts = texts.map((text, i) => draw("text", { y: 17 * i - height / 2 + 17 }, text));
      const group = draw("g", { class: kind, transform: `translate(${x},${y})`, "text-anchor": "middle", "aria-hidden": "true" }, ...parts);
      svg.append(group);
      const width = Math.max(...parts.map((part) => part.getComputedTextLength())) + 14;
      group.prepend(draw("rect", { x: -width / 2, y: -height / 2, width, height, rx: kind === "token" ? height / 2 : 4 }));
      return group;
    }

    // Size and place: fit the window, but keep the text readable; scroll the stage only, never the page around it

    function zoom(chosenScale) {
      stage.dataset.zoom = chosenScale ? "chosen" : "fit";
      const fits = Math.min(stage.clientWidth / wide, story.page ? (stage.clientHeight - 4) / high : Infinity);
      const pair = Math.max(1, ...edges.map(({ child, parent }) => boxes[child].x + boxes[child].width - boxes[parent].x));
      const readable = fits >= 11 / 13 ? Math.min(1.5, fits) : Math.max(11 / 13, Math.min(1, (stage.clientWidth - 20) / pair));
      scale = chosenScale ? Math.max(0.2, Math.min(4, chosenScale)) : readable; // 11 of 13 pixels: the text of the boxes
      svg.style.width = `${wide * scale}px`;
      svg.style.height = `${high * scale}px`;
      if (!story.page) stage.style.height = `min(60vh, ${Math.ceil(high * scale) + 20}px)`;
      keepInView(now === 0 ? [first()] : now < turn ? [computed[now - 1]] : now === turn ? [root] : [passed[now - turn - 1].child, passed[now - turn - 1].parent], true);
    }

    function first() { // the box on the left, where the forward pass begins
      return boxes.reduce((best, box, i) => (box.x < boxes[best].x ? i : best), 0);
    }

    function keepInView(which, at_once = false) { // if not all of them fit, the one that changes is shown
      const edge = Math.max(0, (stage.clientWidth - wide * scale) / 2), target = {};
      for (const [low, size, side, view, shift] of [["x", "width", "left", stage.clientWidth, edge], ["y", "height", "top", stage.clientHeight, 0]]) {
        let from = Math.min(...which.map((i) => boxes[i][low])), to = Math.max(...which.map((i) => boxes[i][low] + boxes[i][size]));
        if ((to - from) * scale > view - 16) [from, to] = [boxes[which.at(-1)][low], boxes[which.at(-1)][low] + boxes[which.at(-1)][size]];
        const current = side === "left" ? stage.scrollLeft : stage.scrollTop;
        if (from * scale + shift < current + 8 || to * scale + shift > current + view - 8) target[side] = (from + to) / 2 * scale + shift - view / 2;
      }
      if (Object.keys(target).length) stage.scrollTo({ ...target, behavior: at_once || still.matches ? "instant" : "smooth" });
    }

    // Predict first: a number stays hidden until it is typed, or asked for

    function ask() {
      answer.hidden = !hidden(now);
      if (answer.hidden) return;
      question.textContent = now < turn ? `${name(computed[now - 1])} = ` : "contribution = ";
      guess.value = "";
      verdict.textContent = "";
    }

    function reveal(text = "") {
      const focus = answer.contains(document.activeElement);
      revealed.add(now);
      show(!still.matches);
      verdict.textContent = text || `It is ${sum()}.`;
      if (focus) next.focus();
    }

    function sum() { // the calculation, for the learner who was wrong or asked
      if (now < turn) return equation(computed[now - 1]).split(" = ").slice(1).join(" = ");
      const { upstream, local, contribution } = passed[now - turn - 1];
      return `${four(upstream)} × ${factor(four(local))} = ${four(contribution)}`;
    }

    function judge() {
      const x = parse(guess.value), true_ = now < turn ? model.data[computed[now - 1]] : passed[now - turn - 1].contribution;
      if (Number.isNaN(x)) { verdict.textContent = "Type a number, such as 0.5, -2e-3 or 1/3."; guess.focus(); return; }
      const good = Math.abs(x - true_) <= 0.01 * Math.abs(true_) + 1e-12 || x === true_; // to within one percent
      asked += 1;
      right += good ? 1 : 0;
      score.textContent = `${right} of ${asked} right`;
      revealed.add(now);
      reveal(good ? `Right: it is ${four(true_)}.` : `Not quite: ${sum()}, and you typed ${guess.value.trim()}.`);
    }

    // Play and pause

    function toggle() {
      if (timer) return pause();
      if (now === last) go(0);
      const tick = () => {
        if (!hidden(now)) go(now + 1);
        if (timer) timer = setTimeout(tick, Number(speed.value));
      };
      timer = setTimeout(tick, Math.min(400, Number(speed.value)));
      start.textContent = "pause";
      start.setAttribute("aria-label", "pause (space)");
    }

    function pause() {
      clearTimeout(timer);
      timer = 0;
      start.textContent = "play";
      start.setAttribute("aria-label", "play (space)");
    }

    // Choose a node: its paths to the root, their products and their sum; a leaf can be given another number

    function choose(i) {
      if (nodes[i].kind === "number") return;
      if (followed === i) { light((chosen + 1) % Math.max(1, listed(i).length)); return; }
      followed = i;
      chosen = -1;
      svg.classList.add("following");
      mark(edges.filter(({ child, parent }) => reachable(i, parent) && child !== i).map(({ child, position }) => [child, position]));
      describeChosen();
      about.scrollIntoView({ block: "nearest" });
    }

    function reachable(from, i) {
      if (reachable.from !== from) {
        const reach = nodes.map((_, node) => node === from);
        edges.forEach(({ child, parent }) => { reach[child] ||= reach[parent]; });
        Object.assign(reachable, { from, reach });
      }
      return reachable.reach[i];
    }

    function number(i) { // of the paths from a node to the root
      const counts = nodes.map((_, node) => (node === i ? 1n : 0n));
      edges.forEach(({ child, parent }) => { if (child !== i) counts[child] += counts[parent]; });
      return counts[root];
    }

    function listed(i) { // the first eight paths, found from the root down and listed from the node up
      const open = [[root, []]], found = [];
      while (open.length && found.length < 8) {
        const [node, path] = open.pop();
        if (node === i) found.push(path);
        else (nodes[node].parents ?? []).map((parent, position) => [parent, position]).reverse().forEach(([parent, position]) => {
          if (reachable(i, parent)) open.push([parent, [[node, position], ...path]]);
        });
      }
      return found;
    }

    function mark(on) {
      svg.querySelectorAll(".path").forEach((part) => part.classList.remove("path"));
      boxes[followed].element.classList.add("path");
      on.forEach(([child, position]) => {
        edgeOf.get(`${child} ${position}`).line.classList.add("path");
        boxes[child].element.classList.add("path");
      });
    }

    function light(which) {
      chosen = which;
      mark(listed(followed)[which] ?? []);
      about.querySelectorAll("li button").forEach((one, i) => one.setAttribute("aria-pressed", i === which));
    }

    function describeChosen() {
      const i = followed, parts = [make("p", { textContent: describe(i) })];
      if (!nodes[i].parents) parts.push(...leafForm(i));
      if (!nodes[i].constant && i !== root) parts.push(...pathList(i));
      about.replaceChildren(...parts);
      if (chosen >= 0) light(chosen);
    }

    function pathList(i) {
      const total = number(i), paths = listed(i), end = `∂${name(root)}/∂${name(i)}`, open = now === last && !predicting;
      const products = paths.map((path) => path.reduce((product, [child, position]) => product * model.local[child][position], 1));
      const items = paths.map((path, which) => {
        const steps = [name(i), ...path.map(([child]) => name(child))].join(" → ");
        const factors = path.map(([child, position]) => factor(four(model.local[child][position]))).join(" × ");
        const product = path.length > 1 ? `${factors} = ${four(products[which])}` : four(products[which]);
        return make("li", {}, button(predicting ? steps : `${steps}: ${product}`, "show this path", () => light(which)));
      });
      items.forEach((item) => item.firstChild.removeAttribute("aria-label"));
      const head = total === 1n ? `A single path leads from ${name(i)} to ${name(root)}. Along it, the local gradients multiply:`
        : `${total} paths lead from ${name(i)} to ${name(root)}. Along each, the local gradients multiply; over the paths, they add up:`;
      const gradient = passed.filter(({ parent }) => parent === i).at(-1)?.total ?? 0;
      const whole = total > BigInt(paths.length) ? `And ${total - BigInt(paths.length)} more. Together: ${end} = ${four(gradient)}.`
        : total > 1n ? `Sum: ${products.map((x) => factor(four(x))).join(" + ")} = ${four(gradient)} = ${end}.` : `So ${end} = ${four(gradient)}.`;
      return [make("p", { textContent: head }), make("ul", {}, ...items), ...(predicting ? [] : [make("p", { textContent: whole })])];
    }

    function leafForm(i) {
      if (nodes[i].constant && nodes[i].kind === "number") return [];
      if (fixed) return [make("p", { className: "note", textContent: `The number cannot be changed here: ${fixed}.` })];
      const field = make("input", { type: "text", size: 12, autocomplete: "off", value: machine.repr(model.data[i]).replace(/\.0$/, "") });
      const message = make("p", { className: "note" });
      message.setAttribute("role", "status");
      const form = make("form", { className: "change" }, make("label", {}, `change ${name(i)} to `, field),
        make("button", { textContent: "set" }), ...(changed ? [button("all as before", "all as before: every number", () => { restore(); })] : []));
      form.onsubmit = (event) => {
        event.preventDefault();
        const text = change(i, field.value);
        if (text) { message.textContent = text; field.setAttribute("aria-invalid", true); field.focus(); return; }
        about.querySelector(".note").textContent = `${name(i)} is ${four(model.data[i])}, and ${name(root)} becomes ${four(model.data[root])}.`;
        about.querySelector("input").focus();
      };
      return [form, message];
    }

    function change(i, text) { // return why not, or nothing; numbers that cannot be computed change nothing
      const x = parse(text), data = model.data.with(i, x);
      if (!Number.isFinite(x)) return `Type a number, such as 0.5, -2e-3 or 1/3; ${text.trim() || "nothing"} is none.`;
      try {
        model = machine.forward(data);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return `${error.message}. The numbers stay as they were.`;
      }
      changed = true;
      update();
      return "";
    }

    function restore() {
      model = original;
      changed = false;
      update();
      about.querySelector("input")?.focus();
    }

    function update() {
      passed = machine.backward(model.local, changed ? undefined : story.contributions);
      const end = new Map(passed.map(({ parent, total }) => [parent, Math.abs(total)]));
      largest = Math.max(1e-300, 1, ...[...end.values()].filter(Number.isFinite));
      revealed = new Set();
      show();
    }

    function unfollow() {
      followed = null;
      svg.classList.remove("following");
      svg.querySelectorAll(".path").forEach((part) => part.classList.remove("path"));
      about.replaceChildren(make("p", { className: "hint", textContent: hint }));
    }
    const hint = fixed ? "Choose a node to see its paths to the root." : "Choose a node to see its paths to the root; choose a leaf to change its number.";

    // Keys, mouse and slider

    function focusNode(i) {
      boxes[focused].element.setAttribute("tabindex", "-1");
      focused = i;
      boxes[i].element.setAttribute("tabindex", "0");
      boxes[i].element.focus({ preventScroll: true });
      keepInView([i]);
    }

    boxes.forEach(({ element }, i) => {
      if (nodes[i].kind === "number") return;
      element.setAttribute("tabindex", i === root ? "0" : "-1");
      element.setAttribute("role", "button");
      element.addEventListener("click", () => { if (!dragged) choose(i); });
      element.addEventListener("mouseenter", () => { if (followed === null) about.replaceChildren(make("p", { textContent: describe(i) })); });
      element.addEventListener("focus", () => { if (followed === null) about.replaceChildren(make("p", { textContent: describe(i) })); });
    });
    const others = (step) => { // the next node in that direction that is not a plain number
      let i = focused + step;
      while (nodes[i]?.kind === "number") i += step;
      if (nodes[i]) focusNode(i);
    };
    (story.page ? document : place).addEventListener("keydown", (event) => {
      const target = event.target, node = boxes.findIndex(({ element }) => element === target);
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (target.type === "text" || target.tagName === "SELECT") return;
      const pressed = target.tagName === "BUTTON" || target.type === "checkbox";
      if (pressed && [" ", "Enter"].includes(event.key)) return;
      const inGraph = stage.contains(target);
      const keys = {
        ArrowRight: () => go(now + 1), ArrowLeft: () => go(now - 1), Home: () => go(0), End: () => go(last), Escape: unfollow,
        "+": () => zoom(scale * 1.25), "-": () => zoom(scale / 1.25), 0: () => zoom(0), " ": () => (node < 0 ? toggle() : choose(node)),
        ...(node < 0 ? {} : { Enter: () => choose(node) }),
        ...(inGraph ? { ArrowUp: () => others(-1), ArrowDown: () => (node < 0 ? focusNode(focused) : others(1)) } : {}),
      };
      if (!keys[event.key]) return;
      event.preventDefault();
      event.stopPropagation(); // otherwise a notebook would handle the key, too
      keys[event.key]();
    });
    slider.addEventListener("input", () => go(Number(slider.value), false));
    predict.addEventListener("change", () => { predicting = predict.checked; revealed = new Set(Array(now + 1).keys()); show(); });
    answer.addEventListener("submit", (event) => { event.preventDefault(); judge(); });
    stage.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return; // the wheel alone scrolls
      event.preventDefault();
      zoom(scale * Math.exp(-event.deltaY / 300));
    }, { passive: false });
    let dragged = false, held = null;
    stage.addEventListener("pointerdown", (event) => {
      dragged = false;
      if (event.pointerType === "mouse" && event.button === 0) held = [event.clientX, event.clientY, stage.scrollLeft, stage.scrollTop];
    });
    stage.addEventListener("pointermove", (event) => {
      if (!held || !event.buttons) { held = null; return; }
      const [x, y, left, top] = held;
      dragged ||= Math.hypot(event.clientX - x, event.clientY - y) > 4;
      if (dragged) stage.scrollTo({ left: left - event.clientX + x, top: top - event.clientY + y, behavior: "instant" });
    });

    // The theme of the page around the player: Jupyter, Sphinx's furo and pydata, Material, VS Code, Colab; else the system

    const system = matchMedia("(prefers-color-scheme: dark)");
    function theme() {
      const themes = [document.body, document.documentElement].flatMap((element) => {
        const { jpThemeLight, theme: host, mdColorScheme, vscodeThemeKind } = element.dataset;
        if (jpThemeLight) return [jpThemeLight === "false"];
        if (vscodeThemeKind) return [/dark|high-contrast$/.test(vscodeThemeKind)];
        if (mdColorScheme) return [mdColorScheme === "slate"];
        return [host, element.getAttribute("theme")].filter((word) => ["dark", "light"].includes(word)).map((word) => word === "dark");
      });
      place.classList.toggle("dark", themes[0] ?? system.matches);
    }
    system.addEventListener("change", theme);
    [document.body, document.documentElement].forEach((element) => new MutationObserver(theme).observe(element, { attributes: true }));
    theme();

    update();
    unfollow();
    zoom(0);
    let width = 0;
    new ResizeObserver(() => {
      if (stage.clientWidth !== width && stage.dataset.zoom === "fit") zoom(0);
      width = stage.clientWidth;
    }).observe(stage);
    const link = story.page && location.hash.match(/^#(end|\d+)$/); // page.html#12 opens at step 12
    if (link) go(link[1] === "end" ? last : Number(link[1]), false);
    else if (story.start) go(story.start, false);
  }

  // Return the SVG of the static image as an element of the page
  function picture(image) {
    const source = decodeURIComponent(image.getAttribute("src").replace(/^[^,]*,/, ""));
    const parsed = new DOMParser().parseFromString(source, "image/svg+xml");
    return document.importNode(parsed.documentElement, true);
  }
}
