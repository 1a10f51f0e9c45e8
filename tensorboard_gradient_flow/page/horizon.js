// How far back the gradient reaches, over training; one line a run.

import { lineChart } from "./chart.js";
import { horizons } from "./data.js";
import { exact } from "./ticks.js";
import { View } from "./view.js";

const FAINT = { opacity: 0.28, width: 1 };

export class Horizon extends View {
  constructor() {
    super("horizon", "Horizon", "Steps back, from the last one read, until the norm falls below 1 % of its largest.");
  }

  wanted({ kind }) {
    return kind === "gradient" || kind === "jacobian";
  }

  async fetch({ tag, runs }) {
    const [each, smooth] = await Promise.all([horizons(tag, runs, false), horizons(tag, runs, true)]);
    return new Map([...each].map(([run, record]) => [run, { each: record, smooth: smooth.get(run) }]));
  }

  draw({ runs, shownStep }, data) {
    const having = runs.filter((run) => data.get(run.name)?.each.steps.length);
    if (!having.length) return this.say("None of the chosen runs has this signal.");
    const farthest = Math.max(...having.map((run) => data.get(run.name).each.longest - 1), 1);
    this.figures.replaceChildren(
      lineChart(this.figures.clientWidth, 300, {
        x: { label: "training step", short: "training step" },
        y: { label: "horizon (steps back)", low: 0, high: farthest },
        lines: [...having.map((run) => line(run, data, "each")), ...having.map((run) => line(run, data, "smooth"))],
        keys: [{ label: "of a single record", ...FAINT }],
        rule: shownStep,
      }),
    );
    this.caption.textContent =
      "Bold: the horizon of ten records together (their root mean square); faint: of each by itself. " +
      `The axis ends at ${farthest} steps, where the gradient reaches the first timestep of the longest sequence.` +
      (having.some((run) => data.get(run.name).each.values.some(([value]) => Number.isNaN(value)))
        ? " A cross at the top: a norm was not finite."
        : "");
    return null;
  }

  about({ layer, signal }) {
    return [this.title, layer, signal];
  }

  rows({ runs, layer, signal }, data) {
    const rows = [["run", "layer", "signal", "training_step", "horizon", "horizon_of_ten", "steps"]];
    for (const run of runs) {
      const { each, smooth } = data.get(run.name) ?? {};
      each?.steps.forEach((step, n) => {
        const horizons = [each, smooth].map((record) => exact(record.values[n][0]));
        rows.push([run.name, layer, signal, step, ...horizons, each.lengths[n] - 1]);
      });
    }
    return rows;
  }
}

function line(run, data, which) {
  const record = data.get(run.name)[which];
  return {
    run: run.name,
    label: run.label,
    ...run.line,
    ...(which === "each" ? { ...FAINT, name: "each", legend: false, read: false } : {}),
    x: record.steps,
    y: record.values.map(([value]) => value),
    step: record.steps.at(-1),
  };
}
