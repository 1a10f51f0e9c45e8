// Everything that is chosen for all sections at once: layer, direction, signal, and how numbers are drawn.

import { choice, html, select } from "./dom.js";

const KINDS = { gradient: "Gradient", jacobian: "Jacobian", gate: "Gates", activation: "Activation" };

export class Controls {
  constructor(store) {
    this.store = store;
    this.element = html("div", { class: "controls", role: "toolbar", "aria-label": "What is shown" });
  }

  update({ state, layers, layer, directions, direction, signals, signal, kind }) {
    const key = JSON.stringify([state, layers, layer, directions, direction, signals, signal]);
    if (key === this.key) return;
    this.key = key;
    const focused = focus(this.element);
    const set = (name) => (value) => this.store.set({ [name]: value });
    const plain = (names) => names.map((name) => [name, name]);
    const parts = [named("layer", select("Layer", plain(layers), layer, set("layer")))];
    if (directions.length > 1) {
      const choices = [["", "both"], ...plain(directions)];
      parts.push(named("direction", select("Direction", choices, direction, set("direction"))));
    }
    const grouped = Object.entries(KINDS)
      .map(([each, title]) => [title, plain(signals.filter((one) => one.kind === each).map((one) => one.signal))])
      .filter(([, some]) => some.length);
    parts.push(named("signal", select("Signal", grouped, signal, set("signal"))));
    const relative = [
      ["absolute", "absolute"],
      ["relative", "over last step"],
    ];
    parts.push(choice("values", "Values", relative, state.values, set("values")));
    if (kind !== "gate") {
      parts.push(
        choice(
          "scale",
          "Scale",
          [
            ["log", "log"],
            ["linear", "linear"],
          ],
          state.scale,
          set("scale"),
        ),
      );
    }
    const axes = [
      ["timestep", "timestep"],
      ["distance", "distance from end"],
    ];
    parts.push(choice("axis", "Time axis", axes, state.axis, set("axis")));
    const ghosts = html("input", {
      type: "checkbox",
      name: "ghosts",
      checked: state.ghosts,
      onchange: (event) => set("ghosts")(event.target.checked),
    });
    parts.push(html("label", { class: "control check" }, ghosts, html("span", {}, "first and last record")));
    this.element.replaceChildren(...parts);
    if (focused) this.element.querySelector(focused)?.focus();
  }
}

function named(name, label) {
  label.querySelector("select").name = name;
  return label;
}

/** How to find what has the focus again, after the controls were built anew. */
function focus(element) {
  const active = document.activeElement;
  if (!element.contains(active)) return null;
  return active.type === "radio" ? `[name=${active.name}]:checked` : `[name=${active.name}]`;
}
