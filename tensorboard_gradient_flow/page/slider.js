// The training step: a slider over all that the chosen runs recorded, which plays.

import { steps } from "./data.js";
import { html } from "./dom.js";

const FRAMES = 150; // at most so many pictures from the first step to the last
const BETWEEN = 90; // milliseconds, at least

export class Slider {
  constructor(store, ready) {
    this.store = store;
    this.ready = ready; // resolves when what was asked for is drawn
    this.steps = [];
    this.playing = false;
    this.button = html("button", { type: "button", class: "play", onclick: () => this.play() }, "Play");
    this.range = html("input", {
      type: "range",
      min: 0,
      max: 0,
      value: 0,
      id: "step",
      "aria-label": "Training step",
      oninput: () => {
        this.stop();
        this.choose(Number(this.range.value));
      },
    });
    this.output = html("output", { for: "step" });
    this.element = html(
      "div",
      { class: "slider" },
      this.button,
      html("label", { for: "step" }, "Training step"),
      this.range,
      this.output,
    );
  }

  /** The index of the chosen step: the last one recorded at or before it. */
  get index() {
    const { step } = this.store.state;
    if (step === null) return this.steps.length - 1;
    return Math.max(
      this.steps.findLastIndex((each) => each <= step),
      0,
    );
  }

  choose(index) {
    // At the end the page follows what a training run adds.
    this.store.set({ step: index >= this.steps.length - 1 ? null : this.steps[index] });
  }

  async update({ tag, runs }) {
    const asked = (this.asked = {});
    if (tag) {
      const found = await steps(tag, runs).catch(() => new Map());
      if (asked !== this.asked) return;
      this.steps = [...new Set([...found.values()].flat())].sort((one, other) => one - other);
    }
    const [index, last] = [this.index, this.steps.length - 1];
    this.range.max = Math.max(last, 0);
    this.range.value = index;
    this.range.disabled = this.button.disabled = last < 1;
    const text = last < 0 ? "–" : `${this.steps[index]} of ${this.steps[last]}`;
    this.output.textContent = text;
    this.range.setAttribute("aria-valuetext", `training step ${text}`);
  }

  async play() {
    if (this.playing) return this.stop();
    this.playing = true;
    this.button.textContent = "Pause";
    let index = this.index >= this.steps.length - 1 ? 0 : this.index;
    const stride = Math.max(1, Math.ceil(this.steps.length / FRAMES));
    while (this.playing && index < this.steps.length) {
      this.choose(index);
      await Promise.all([this.ready(), new Promise((resolve) => setTimeout(resolve, BETWEEN))]);
      if (index === this.steps.length - 1) break;
      index = Math.min(index + stride, this.steps.length - 1);
    }
    return this.stop();
  }

  stop() {
    this.playing = false;
    this.button.textContent = "Play";
  }
}
