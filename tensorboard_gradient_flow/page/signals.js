// Signals that belong together: the Jacobian beside its bound, the shares of a gate that are shut and open.

import { lineChart } from "./chart.js";
import { vectors } from "./data.js";
import { html } from "./dom.js";
import { lineOf, recordAt } from "./profile.js";
import { exact } from "./ticks.js";
import { AXES, timesteps } from "./vector.js";
import { View } from "./view.js";

/** Tags of a kind in a layer of any of these runs, by signal. */
function tagsOf(kind, { layer, runs }) {
  const found = new Map();
  for (const run of runs) {
    for (const [tag, about] of Object.entries(run.tags)) {
      if (about.kind === kind && about.layer === layer) found.set(about.signal, tag);
    }
  }
  return new Map([...found].sort());
}

class Together extends View {
  constructor(id, title, hint, kind) {
    super(id, title, hint);
    this.kind = kind;
  }

  wanted(context) {
    return tagsOf(this.kind, context).size > 0;
  }

  /** By signal, the records of all runs at the training step. */
  async fetch(context) {
    const tags = [...tagsOf(this.kind, context)];
    const at = recordAt(context.step);
    const found = await Promise.all(tags.map(([, tag]) => vectors(tag, context.runs, at)));
    return new Map(tags.map(([signal, tag], n) => [signal, { tag, records: found[n] }]));
  }

  /** Lines of one signal, as they are: relative to themselves they would say nothing. */
  lines({ runs, state }, { tag, records }, look) {
    return runs
      .filter((run) => records.get(run.name)?.steps.length)
      .map((run) => ({
        ...lineOf(run, records.get(run.name), "current", { tag, state: { ...state, values: "absolute" } }),
        ...look,
      }));
  }

  about({ layer, shownStep }) {
    return [this.title, layer, `training step ${shownStep}`];
  }

  rows({ runs, layer }, data) {
    const rows = [["run", "layer", "signal", "training_step", "timestep", "value"]];
    for (const [signal, { tag, records }] of data) {
      for (const run of runs) {
        const record = records.get(run.name);
        if (!record?.steps.length) continue;
        const at = timesteps(record.lengths[0], record.every, run.tags[tag].direction === "backward");
        record.values[0].forEach((value, t) =>
          rows.push([run.name, layer, signal, record.steps[0], at[t], exact(value)]),
        );
      }
    }
    return rows;
  }
}

export class Jacobian extends Together {
  constructor() {
    super("jacobian", "Jacobian and bound", "How much the last hidden state depends on each earlier one.", "jacobian");
  }

  draw(context, data) {
    const log = context.state.scale === "log";
    const lines = [...data].flatMap(([signal, found]) => {
      const bound = signal.endsWith("bound");
      const look = bound ? { dash: "2 4", width: 1.5, name: "bound", legend: false } : {};
      return this.lines(context, found, look);
    });
    this.figures.replaceChildren(
      lineChart(this.figures.clientWidth, 320, {
        x: { label: AXES[context.state.axis], short: context.state.axis === "timestep" ? "t =" : "distance" },
        y: { label: "‖∂h_T/∂hₜ‖", log, low: log ? undefined : 0, decades: 12 },
        lines,
        keys: data.has("jacobian_bound") ? [{ label: "bound (γ‖U‖)ᵀ⁻ᵗ", dash: "2 4" }] : [],
      }),
    );
    this.caption.textContent = data.has("jacobian_bound")
      ? "No line lies above its bound: one that falls makes the gradient vanish, one that rises leaves it open."
      : "";
  }
}

export class Gates extends Together {
  constructor() {
    super(
      "gates",
      "Gates",
      "Share of a gate's units that are shut (below 0.1) or open (above 0.9), at every timestep.",
      "gate",
    );
  }

  draw(context, data) {
    const gates = new Set([...data.keys()].map((signal) => signal.replace(/_(low|high)$/, "")));
    const across = Math.min(Math.max(1, Math.floor(this.figures.clientWidth / 330)), gates.size);
    const width = Math.min(Math.floor((this.figures.clientWidth - 12 * (across - 1)) / across), 760);
    const charts = [...gates].map((gate) =>
      lineChart(width, 240, {
        title: gate.replace(/^gate_/, "gate "),
        x: { label: AXES[context.state.axis], short: context.state.axis === "timestep" ? "t =" : "distance" },
        y: { label: "share of units", low: 0, high: 1 },
        lines: ["low", "high"].flatMap((end) => {
          const look = end === "low" ? { dash: "2 4", name: "shut", legend: false } : { name: "open" };
          const found = data.get(`${gate}_${end}`);
          return found ? this.lines(context, found, look) : [];
        }),
        keys: [
          { label: "open", dash: "" },
          { label: "shut", dash: "2 4" },
        ],
      }),
    );
    this.figures.replaceChildren(html("div", { class: "grid" }, charts));
    this.caption.textContent = "";
  }
}
