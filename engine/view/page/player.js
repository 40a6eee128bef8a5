// The player: it replaces the still picture by one that shows each step. Its data are in `story`: nodes
// (parents first), forward (nodes in order), backward (edges in order, each with its changes).
// Every text is set as text, so no label and no title can become markup.
(story) => {
  "use strict";
  const places = document.querySelectorAll(`.chalkgrad[data-story="${story.key}"]:not([data-live])`);
  places.forEach((place) => { place.dataset.live = ""; replace(place); });

  function replace(place) {
    const svg = picture(place.querySelector("img"));
    const find = (id) => svg.querySelector(`[id="${id}"]`);
    const nodes = story.nodes.map((node) => ({ ...node, box: find(node.id), circle: find(node.id + "op"),
      texts: [...find(node.id).querySelectorAll("text")] }));
    const edges = new Map();
    nodes.forEach((node, child) => node.parents.forEach((parent, position) => {
      edges.set(`${child} ${position}`, { child, parent, position, line: find(`${node.id}edge${position}`) });
    }));
    const forward = story.forward.map(([node]) => ({ node, lines: [nodes[node].about] }));
    const backward = story.backward.map(([node, parent, position, shown, exact, text]) => (
      { node, parent, position, total: [shown, exact], lines: [nodes[node].about, text] }));
    const steps = [{ lines: [story.start] }, ...forward, { root: true, lines: [story.turn] }, ...backward];
    const turn = 1 + story.forward.length; // the step at which the root gets its gradient of 1
    let now = 0, timer = 0, followed = null, trail = null;

    // The page around the picture

    const make = (tag, properties = {}, ...children) => {
      const element = Object.assign(document.createElement(tag), properties);
      element.append(...children);
      return element;
    };
    const sentence = make("p", { className: "sentence" });
    sentence.setAttribute("aria-live", "polite");
    const about = make("p", { className: "about" });
    about.setAttribute("aria-live", "polite");
    const stage = make("div", { className: "stage" }, svg);
    stage.setAttribute("role", "group");
    stage.setAttribute("aria-label", "the graph");
    const slider = make("input", { type: "range", min: 0, max: steps.length - 1, value: 0 });
    slider.setAttribute("aria-label", "step");
    const count = make("output");
    const button = (sign, label, act) => {
      const element = make("button", { type: "button", textContent: sign, title: label, onclick: act });
      element.setAttribute("aria-label", label);
      return element;
    };
    const start = button("play", "play (space)", () => toggle());
    const bar = make("div", { className: "bar" },
      button("|◀", "first step (Home)", () => go(0)), button("◀", "step back (←)", () => go(now - 1)), start,
      button("▶", "step on (→)", () => go(now + 1)), button("▶|", "last step (End)", () => go(steps.length - 1)),
      slider, count);
    const heading = story.title ? [make("h1", { textContent: story.title })] : [];
    const wide = parseFloat(svg.getAttribute("width")); // fit the page, but stay readable
    svg.style.cssText = `width: clamp(${0.65 * wide}pt, 100%, ${wide}pt); height: auto`;
    place.replaceChildren(place.querySelector("style"), ...heading, sentence, stage, bar, about);
    place.tabIndex = 0;
    place.setAttribute("role", "region");
    place.setAttribute("aria-label", story.title || "backpropagation, step by step");
    const theme = () => place.classList.toggle("dark", document.body.dataset.jpThemeLight === "false" ||
      (!("jpThemeLight" in document.body.dataset) && matchMedia("(prefers-color-scheme: dark)").matches));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", theme);
    theme();

    // Show one step. Its number determines everything shown, so steps can follow in any order

    function go(step) {
      now = Math.max(0, Math.min(steps.length - 1, step));
      const data = nodes.map((node) => !node.circle), grad = nodes.map(() => null);
      for (let i = 1; i <= now; i++) {
        const { node, parent, total } = steps[i];
        if (i < turn) data[node] = true;
        else if (i === turn) grad[nodes.length - 1] = ["1", "1.0"];
        else grad[parent] = total;
      }
      for (const line of svg.querySelectorAll(".node, .edge, text")) {
        line.classList.remove("now", "done", "waiting", "changed");
      }
      nodes.forEach((node, i) => {
        if (node.kind === "number") return;
        const [dataText, gradText] = node.kind === "constant" ? node.texts.slice(-1) : node.texts.slice(-2);
        dataText.textContent = data[i] ? `data ${node.data}` : "data –";
        if (gradText) gradText.textContent = grad[i] ? `grad ${grad[i][0]}` : "grad –";
        node.box.dataset.grad = grad[i] ? grad[i][1] : "";
        node.box.setAttribute("aria-label", [node.name, dataText.textContent, gradText?.textContent].join(", "));
        node.box.classList.toggle("waiting", !data[i]);
        node.circle?.classList.toggle("waiting", !data[i]);
        find(node.id + "edge")?.classList.toggle("waiting", !data[i]);
      });
      for (const { child, line } of edges.values()) line.classList.toggle("waiting", !data[child]);
      for (const { node, position } of steps.slice(turn + 1, now + 1)) {
        edges.get(`${node} ${position}`).line.classList.add("done");
        find(nodes[node].id + "edge").classList.add("done");
      }
      mark(steps[now]);
      const phase = now === 0 ? "Before" : now < turn ? "Forward" : "Backward";
      sentence.replaceChildren(make("b", { textContent: phase }),
        ...steps[now].lines.map((line) => make("span", { textContent: line })));
      slider.value = now;
      slider.setAttribute("aria-valuetext", `step ${now} of ${steps.length - 1}, ${phase.toLowerCase()}`);
      count.textContent = `${now} / ${steps.length - 1}`;
      if (now === steps.length - 1) pause();
    }

    function mark({ node, parent, position, root }) {
      if (root) node = parent = nodes.length - 1;
      if (node === undefined) return;
      const lit = [nodes[node].box, nodes[node].circle, find(nodes[node].id + "edge")];
      if (parent === undefined) nodes[node].texts.at(nodes[node].kind === "constant" ? -1 : -2).classList.add("changed");
      else nodes[parent].texts.at(-1).classList.add("changed");
      if (position !== undefined) lit.push(edges.get(`${node} ${position}`).line, nodes[parent].box);
      lit.forEach((element) => element?.classList.add("now"));
      keepInView(nodes[parent ?? node].box, nodes[node].box);
    }

    // Scroll the stage only, never the page or the notebook around it
    function keepInView(...boxes) {
      const frame = stage.getBoundingClientRect();
      for (const [low, high, side, size] of [["left", "right", "scrollLeft", "clientWidth"],
        ["top", "bottom", "scrollTop", "clientHeight"]]) {
        const parts = boxes.map((box) => box.getBoundingClientRect());
        let from = Math.min(...parts.map((part) => part[low])), to = Math.max(...parts.map((part) => part[high]));
        if (to - from > stage[size]) [from, to] = [parts[0][low], parts[0][high]]; // if both do not fit, show the first
        if (from < frame[low] || to > frame[low] + stage[size]) {
          stage[side] += (from + to) / 2 - frame[low] - stage[size] / 2;
        }
      }
    }

    function toggle() {
      if (timer) return pause();
      if (now === steps.length - 1) go(0);
      timer = setInterval(() => go(now + 1), 1200);
      start.textContent = "pause";
      start.setAttribute("aria-label", "pause (space)");
    }

    function pause() {
      clearInterval(timer);
      timer = 0;
      start.textContent = "play";
      start.setAttribute("aria-label", "play (space)");
    }

    // Follow a node: first show all of its paths to the root, then one path at each click

    function follow(i) {
      if (["number", "constant"].includes(nodes[i].kind)) return; // a plain number has no gradient
      if (i !== followed) { unfollow(); followed = i; showPaths(i); return; }
      trail ??= paths(i);
      const next = trail.next();
      if (next.done) { followed = null; trail = null; return follow(i); }
      light(next.value);
      const locals = next.value.map(([child, position]) => nodes[child].locals[position]);
      const names = [nodes[i].name, ...next.value.map(([child]) => nodes[child].name)];
      about.textContent = `${names.join(" → ")}, with the local gradients ${locals.join(" × ")}`;
    }

    function showPaths(i) {
      const counts = nodes.map((_, node) => (node === i ? 1n : 0n)), on = [];
      for (const edge of edges.values()) { // children after parents, as the nodes are
        if (edge.child !== i) counts[edge.child] += counts[edge.parent];
      }
      for (const { child, parent, position } of edges.values()) {
        if (counts[parent] && child !== i) on.push([child, position]);
      }
      light(on, i);
      const number = counts.at(-1);
      about.textContent = number === 1n ? `A single path leads from ${nodes[i].name} to ${nodes.at(-1).name}.`
        : `${number} paths lead from ${nodes[i].name} to ${nodes.at(-1).name}; the gradient is the sum over them. `
          + "Click it again to follow them one by one; press Escape to stop.";
    }

    function light(on, i = followed) {
      svg.querySelectorAll(".path").forEach((part) => part.classList.remove("path"));
      svg.classList.add("following");
      nodes[i].box.classList.add("path");
      for (const [child, position] of on) {
        const { box, circle, id } = nodes[child];
        const parts = [edges.get(`${child} ${position}`).line, circle, find(id + "edge"), box];
        parts.forEach((part) => part?.classList.add("path"));
      }
    }

    function* paths(i) { // found from the root down, listed from the followed node up; without recursion
      const reach = nodes.map((_, node) => node === i);
      for (const { child, parent } of edges.values()) reach[child] ||= reach[parent];
      const open = [[nodes.length - 1, []]];
      while (open.length) {
        const [node, path] = open.pop();
        if (node === i) yield path;
        else nodes[node].parents.map((parent, position) => [parent, position]).reverse().forEach(([parent, position]) => {
          if (reach[parent]) open.push([parent, [[node, position], ...path]]);
        });
      }
    }

    function unfollow() {
      followed = trail = null;
      svg.classList.remove("following");
      about.textContent = "";
    }

    // Keys, mouse and slider

    nodes.forEach((node, i) => {
      const describe = () => { if (followed === null) about.textContent = node.about; };
      for (const part of [node.box, node.circle]) {
        if (!part) continue;
        part.querySelector("title").textContent = node.about; // shown when the mouse is over it
        part.addEventListener("mouseenter", describe);
        part.addEventListener("click", () => follow(i));
      }
      if (node.kind === "number") return;
      node.box.setAttribute("tabindex", "0");
      node.box.setAttribute("role", "button");
      node.box.addEventListener("focus", describe);
    });
    svg.querySelectorAll(".edge title, svg > g > title").forEach((title) => title.remove());
    slider.addEventListener("input", () => go(Number(slider.value)));
    place.addEventListener("keydown", (event) => {
      const chosen = nodes.findIndex((node) => node.box === event.target);
      const keys = {
        ArrowRight: () => go(now + 1), ArrowLeft: () => go(now - 1), Home: () => go(0), End: () => go(steps.length - 1),
        Escape: unfollow, " ": () => (chosen < 0 ? toggle() : follow(chosen)), Enter: () => follow(chosen),
      };
      const pressed = event.target.tagName === "BUTTON" && [" ", "Enter"].includes(event.key);
      if (!keys[event.key] || pressed || (event.key === "Enter" && chosen < 0)) return;
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation(); // otherwise a notebook would handle the key, too
      keys[event.key]();
    });
    const link = story.page && location.hash.match(/^#(end|\d+)$/); // page.html#12 opens at step 12
    go(link ? (link[1] === "end" ? Infinity : Number(link[1])) : 0);
    if (story.page) place.focus({ preventScroll: true });
  }

  // Return the SVG of the static image as an element of the page
  function picture(image) {
    const source = decodeURIComponent(image.getAttribute("src").replace(/^[^,]*,/, ""));
    const parsed = new DOMParser().parseFromString(source, "image/svg+xml");
    return document.importNode(parsed.documentElement, true);
  }
}
