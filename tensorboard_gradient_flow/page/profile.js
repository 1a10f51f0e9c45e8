// Norm against timestep, one line a run, at one training step; the first and the last step's lines as ghosts.

import { lineChart } from "./chart.js";
import { vectors } from "./data.js";
import { exact } from "./ticks.js";
import { AXES, named, positions, shown } from "./vector.js";
import { View } from "./view.js";

const FIRST = 0;
const LAST = Number.MAX_SAFE_INTEGER;
const POINTS = 2000; // of a line; more than there are pixels

const GHOSTS = { first: { dash: "1 4", opacity: 0.55, width: 1.4 }, last: { opacity: 0.35, width: 1.2 } };

/** How to ask for the record at a training step; `null` for the last. */
export const recordAt = (step) => `at=${step ?? LAST}&rows=${POINTS}`;

/** Of each run the records at the wanted training steps, as `{ first, current, last }`. */
export async function profiles({ tag, runs, step }, ghosts) {
  const names = ghosts ? { first: FIRST, current: step, last: null } : { current: step };
  const found = await Promise.all(Object.values(names).map((at) => vectors(tag, runs, recordAt(at))));
  return new Map(
    [...found[0].keys()].map((run) => [
      run,
      Object.fromEntries(Object.keys(names).map((name, n) => [name, found[n].get(run)])),
    ]),
  );
}

/** A run's record as a line. */
export function lineOf(run, record, name, { tag, state }) {
  const backward = run.tags[tag].direction === "backward";
  return {
    run: run.name,
    label: run.label,
    colour: run.line.colour,
    dash: run.line.dash,
    name,
    step: record.steps[0],
    x: positions(record.lengths[0], record.every, backward, state.axis),
    y: shown(record.values[0], backward, state.values),
  };
}

export class Profile extends View {
  constructor() {
    super("profile", "Profile", "Norm at every timestep, at the training step of the slider.");
  }

  fetch(context) {
    return profiles(context, context.state.ghosts);
  }

  draw(context, data) {
    const { runs, signal, kind, state } = context;
    const lines = [];
    for (const run of runs) {
      const records = data.get(run.name);
      if (!records?.current.steps.length) continue;
      const current = lineOf(run, records.current, "current", context);
      for (const [name, look] of Object.entries(GHOSTS)) {
        const record = records[name];
        if (!record || record.steps[0] === current.step) continue;
        lines.push({ ...lineOf(run, record, name, context), ...look, legend: false, read: false });
      }
      lines.push(current);
    }
    if (!lines.length) return this.say("None of the chosen runs has this signal.");
    lines.sort((one, other) => (one.name === "current") - (other.name === "current"));
    const log = state.scale === "log" && kind !== "gate";
    const figure = lineChart(this.figures.clientWidth, 360, {
      x: { label: AXES[state.axis], short: state.axis === "timestep" ? "t =" : "distance" },
      y: {
        label: named(signal, kind, state.values),
        log,
        low: log ? undefined : 0,
        high: kind === "gate" ? 1 : undefined,
        decades: 12,
      },
      lines,
      keys: lines.some((line) => line.name !== "current")
        ? [
            { label: "first record", ...GHOSTS.first },
            { label: "last record", ...GHOSTS.last },
          ].filter((key) => lines.some((line) => line.name === key.label.split(" ")[0]))
        : [],
    });
    this.figures.replaceChildren(figure);
    this.caption.textContent = note(lines, data);
    return null;
  }

  rows({ runs, tag, state, layer, signal }, data) {
    const rows = [["run", "layer", "signal", "line", "training_step", state.axis, state.values]];
    for (const run of runs) {
      const backward = run.tags[tag]?.direction === "backward";
      for (const [name, record] of Object.entries(data.get(run.name) ?? {})) {
        record.values.forEach((vector, n) => {
          const places = positions(record.lengths[n], record.every, backward, state.axis);
          shown(vector, backward, state.values).forEach((value, t) =>
            rows.push([run.name, layer, signal, name, record.steps[n], places[t], exact(value)]),
          );
        });
      }
    }
    return rows;
  }
}

/** What the reader ought to know of the lines. */
function note(lines, data) {
  const notes = [];
  const thinned = [...data.values()].some(({ current }) => current.every > 1);
  if (thinned) notes.push("Only some of the timesteps are drawn.");
  if (lines.some((line) => line.y.some((value) => !Number.isFinite(value)))) {
    notes.push("A cross at the top marks a value that is not finite.");
  }
  return notes.join(" ");
}
