// The tab. TensorBoard calls `render` in a frame of the page's own.

import { Store } from "./address.js";
import { followTheme, line } from "./colours.js";
import { Controls } from "./controls.js";
import { index, pending, vectors } from "./data.js";
import { html } from "./dom.js";
import { empty } from "./empty.js";
import { Heatmap } from "./heatmap.js";
import { Horizon } from "./horizon.js";
import { Profile, recordAt } from "./profile.js";
import { Runs, differing, short } from "./runs.js";
import { Gates, Jacobian } from "./signals.js";
import { Slider } from "./slider.js";
import { Verdicts } from "./table.js";
import * as tooltip from "./tooltip.js";

const CHOSEN_AT_FIRST = 20;
const LOOK_AGAIN = 5000; // milliseconds
const FIRST_SIGNALS = ["h", "c", "kernel"];

export async function render() {
  document.documentElement.lang = "en";
  document.title = "Gradient flow";
  const style = html("link", { rel: "stylesheet", href: new URL("style.css", import.meta.url).href });
  await new Promise((resolve) => {
    style.onload = style.onerror = resolve;
    document.head.append(style);
  });
  await new Page().start();
}

class Page {
  constructor() {
    this.store = new Store();
    this.waiting = 0;
    this.whenReady = [];
    pending.change = (by) => this.busy(by);
    this.runs = new Runs(this.store);
    this.controls = new Controls(this.store);
    this.slider = new Slider(this.store, () => this.ready());
    this.views = [new Profile(), new Heatmap(), new Horizon(), new Jacobian(), new Gates(), new Verdicts()];
    this.problem = html("p", { id: "problem", role: "alert", hidden: true });
    this.nothing = html("p", { class: "notice", hidden: true }, "No run is chosen: choose one on the left.");
    this.dropped = html("p", { id: "dropped", class: "notice", hidden: true });
    this.main = html(
      "main",
      {},
      html("div", { class: "bar-top" }, this.controls.element, this.slider.element),
      this.nothing,
      this.dropped,
      this.views.map((view) => view.element),
    );
  }

  async start() {
    document.body.dataset.state = "loading";
    this.place = html("div", { class: "page" }, html("p", { class: "notice loading" }, "Reading what was logged …"));
    document.body.append(this.problem, this.place);
    tooltip.install();
    followTheme(() => this.index && this.update());
    this.store.listeners.push(() => this.update());
    await this.look();
    setInterval(() => document.visibilityState === "visible" && this.place.clientHeight && this.look(), LOOK_AGAIN);
    this.listen();
  }

  /** Counts what is under way, and says on the body when nothing is. */
  busy(by) {
    this.waiting += by;
    if (this.waiting) {
      document.body.dataset.state = "loading";
      return;
    }
    setTimeout(() => {
      if (this.waiting) return;
      document.body.dataset.state = "ready";
      this.whenReady.splice(0).forEach((resolve) => resolve());
    });
  }

  ready() {
    return new Promise((resolve) => {
      this.whenReady.push(resolve);
      this.busy(0);
    });
  }

  /** Asks which runs there are; what has changed is drawn anew. */
  async look() {
    try {
      const found = await index();
      this.problem.hidden = true;
      const key = JSON.stringify(found);
      if (key === this.key) return;
      [this.key, this.index] = [key, found];
      this.update();
    } catch (error) {
      this.problem.textContent = `TensorBoard does not answer (${error.message}); trying again every few seconds.`;
      this.problem.hidden = false;
    }
  }

  update() {
    if (!this.index) return;
    if (!this.index.runs.length) {
      this.place.replaceChildren(empty());
      return;
    }
    if (!this.place.contains(this.main)) this.place.replaceChildren(this.runs.element, this.main);
    const context = contextOf(this.index, this.store.state);
    this.runs.update(context);
    this.controls.update(context);
    this.slider.update(context);
    for (const view of this.views) view.update(context.tag ? context : null);
    this.nothing.hidden = context.runs.length > 0;
    this.tellDropped(context);
  }

  /** Says so when TensorBoard kept only some of the records. */
  async tellDropped({ tag, runs, limit }) {
    const found = tag ? await vectors(tag, runs, recordAt(null)).catch(() => new Map()) : new Map();
    const short = [...found.values()].filter((record) => record.dropped);
    const kept = short.reduce((sum, record) => sum + record.records, 0);
    const lost = short.reduce((sum, record) => sum + record.dropped, 0);
    this.dropped.hidden = !short.length;
    this.dropped.textContent =
      `TensorBoard keeps ${limit} records of a signal: of ${short.length} run${short.length > 1 ? "s" : ""} shown here ` +
      `${kept} of about ${kept + lost} are left. Start it with --samples_per_plugin gradient_flow=0 to keep all.`;
  }

  /** TensorBoard tells its plugins when it has read new data. */
  listen() {
    if (window.parent === window) return;
    const channel = new MessageChannel();
    channel.port1.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.isReply) return;
      channel.port1.postMessage(JSON.stringify({ ...message, payload: null, error: null, isReply: true }));
      if (message.type === "experimental.DataReloaded") this.look();
    };
    window.parent.postMessage("experimental.bootstrap", window.location.origin, [channel.port2]);
  }
}

/** What the page shows: the state, completed by what there is. */
function contextOf(index, state) {
  const every = index.runs.map((run, n) => ({ ...run, line: line(n) }));
  const known = new Set(every.map((run) => run.name));
  const chosen = (state.runs ?? every.slice(0, CHOSEN_AT_FIRST).map((run) => run.name)).filter((name) =>
    known.has(name),
  );
  const picked = new Set(chosen);
  const runs = every.filter((run) => picked.has(run.name));
  const names = differing(runs);
  for (const run of runs) run.label = short(labelOf(run, names, state.names));

  const tags = (runs.length ? runs : every).flatMap((run) => Object.values(run.tags));
  const directions = [...new Set(tags.map((about) => about.direction))].sort();
  const direction = directions.includes(state.direction) ? state.direction : "";
  const inDirection = tags.filter((about) => !direction || about.direction === direction);
  // Forward layers first, numbers in their order.
  const order = (one, other) =>
    other.direction.localeCompare(one.direction) || one.layer.localeCompare(other.layer, "en", { numeric: true });
  const layers = [...new Set(inDirection.toSorted(order).map((about) => about.layer))];
  const layer = layers.includes(state.layer) ? state.layer : layers[0];
  const signals = signalsOf(inDirection.filter((about) => about.layer === layer));
  const { signal, kind } = signals.find((one) => one.signal === state.signal) ?? signals[0] ?? {};
  const tag = runs
    .flatMap((run) => Object.entries(run.tags))
    .find(([, about]) => about.layer === layer && about.signal === signal)?.[0];
  const lasts = runs.map((run) => run.tags[tag]?.last).filter((last) => last !== undefined);
  const shownStep = state.step ?? (lasts.length ? Math.max(...lasts) : null);
  return {
    state,
    every,
    chosen,
    runs,
    differing: names,
    directions,
    direction,
    layers,
    layer,
    signals,
    signal,
    kind,
    tag,
    step: state.step,
    shownStep,
    limit: index.limit,
  };
}

function labelOf(run, names, by) {
  const given = names.filter((name) => name in run.hparams).map((name) => String(run.hparams[name]));
  return by === "hparams" && given.length ? given.join(" · ") : run.name;
}

/** A layer's signals: those of the gradient first, h before all. */
function signalsOf(tags) {
  const found = new Map(tags.map(({ signal, kind }) => [signal, { signal, kind }]));
  const rank = ({ signal, kind }) => {
    const known = FIRST_SIGNALS.indexOf(signal);
    return [kind === "gradient" ? 0 : 1, known < 0 ? FIRST_SIGNALS.length : known];
  };
  return [...found.values()].sort((one, other) => {
    const [[kind, place], [otherKind, otherPlace]] = [rank(one), rank(other)];
    return kind - otherKind || place - otherPlace || one.signal.localeCompare(other.signal);
  });
}
