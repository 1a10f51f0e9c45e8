// Timestep × training step for each chosen run, side by side, with one colour scale.

import { vectors } from "./data.js";
import { html } from "./dom.js";
import { MARGIN, NAMED, Panel } from "./panel.js";
import { recordAt } from "./profile.js";
import { colourBar, sharedRange } from "./raster.js";
import { exact } from "./ticks.js";
import { named, shown, timesteps } from "./vector.js";
import { View } from "./view.js";

const [NARROWEST, ROWS] = [330, 256];

export class Heatmap extends View {
  constructor() {
    super("heatmap", "Heatmap", "All records of every chosen run: the dashed line is the training step of the slider.");
    this.panels = new Map();
    this.bar = html("div", { class: "bar" });
    this.grid = html("div", { class: "grid" });
    this.observer = new IntersectionObserver(
      (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => this.load(entry.target)),
      { rootMargin: "120px" },
    );
  }

  /** The last records, for what all have in common: length, colours, last training step. */
  fetch({ tag, runs }) {
    return vectors(tag, runs, recordAt(null));
  }

  draw(context, data) {
    const runs = context.runs.filter((run) => data.get(run.name)?.steps.length);
    if (!runs.length) return this.say("None of the chosen runs has this signal.");
    const range = sharedRange(data.values(), context.state.values, context.kind);
    const across = Math.min(Math.max(1, Math.floor(this.figures.clientWidth / NARROWEST)), runs.length);
    const width = Math.min(Math.floor((this.figures.clientWidth - 12 * (across - 1)) / across), 760);
    const limits = {
      first: Math.min(...runs.map((run) => data.get(run.name).first)),
      last: Math.max(...runs.map((run) => data.get(run.name).steps[0])),
      longest: Math.max(...runs.map((run) => data.get(run.name).longest)),
    };
    this.look = {
      ...context,
      limits,
      range,
      width,
      height: runs.length < 3 ? 270 : 215,
      theme: document.documentElement.dataset.theme,
    };
    const before = this.panels;
    this.panels = new Map(runs.map((run) => [run.name, before.get(run.name) ?? new Panel(run)]));
    runs.forEach((run, n) => {
      const panel = this.panels.get(run.name);
      panel.run = run;
      panel.titled = { x: n >= runs.length - across, y: n % across === 0 };
      panel.element.dataset.name = run.name;
      panel.element.style.width = `${width}px`;
      panel.height = this.look.height + (panel.titled.x ? NAMED : 0);
      panel.element.style.minHeight = `${panel.height}px`;
    });
    this.explain();
    this.grid.replaceChildren(...[...this.panels.values()].map((panel) => panel.element));
    this.figures.replaceChildren(this.bar, this.grid);
    this.observer.disconnect(); // observing again reports who is visible now
    for (const panel of this.panels.values()) this.observer.observe(panel.element);
    return null;
  }

  /** Fetches and draws one panel. */
  async load(element) {
    const panel = this.panels.get(element.dataset.name);
    const look = this.look;
    if (!panel) return;
    const query = `columns=${Math.min(look.width, 400)}&rows=${ROWS}`;
    const record = (await vectors(look.tag, [panel.run], query)).get(panel.run.name);
    if (look !== this.look || !record) return; // drawn anew meanwhile
    panel.draw(record, { ...look, height: panel.height, titled: panel.titled });
    this.explain();
  }

  /** The colour bar, and what the reader ought to know of the pictures. */
  explain() {
    const { range, signal, kind, state } = this.look;
    const drawn = [...this.panels.values()].filter((panel) => panel.record);
    const apart = {
      nan: drawn.some((panel) => panel.apart.nan),
      infinite: drawn.some((panel) => panel.apart.infinite),
    };
    this.bar.replaceChildren(colourBar(range, named(signal, kind, state.values), apart, MARGIN.left));
    const records = drawn.map((panel) => panel.record);
    const notes = ["One colour scale for all runs, of eight decades at most; hover for the numbers."];
    if (records.some((record) => record.every > 1))
      notes.push(`Where sequences are long, at most ${ROWS} of their timesteps are drawn.`);
    if (records.some((record) => record.steps.length < record.records))
      notes.push("Where there are more records than fit, they are drawn at even distances.");
    this.caption.textContent = notes.join(" ");
  }

  about({ layer, signal }) {
    return [this.title, layer, signal];
  }

  async download(kind) {
    await (this.stale ? this.refresh() : this.reading);
    await Promise.all([...this.panels.values()].map((panel) => this.load(panel.element)));
    return super.download(kind);
  }

  rows({ layer, signal, tag, state }) {
    const rows = [["run", "layer", "signal", "training_step", "timestep", state.values]];
    for (const { run, record } of this.panels.values()) {
      const backward = run.tags[tag].direction === "backward";
      record?.steps.forEach((step, n) => {
        const at = timesteps(record.lengths[n], record.every, backward);
        shown(record.values[n], backward, state.values).forEach((value, t) =>
          rows.push([run.name, layer, signal, step, at[t], exact(value)]),
        );
      });
    }
    return rows;
  }
}
