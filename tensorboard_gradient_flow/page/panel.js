// One run's heatmap: timestep against training step.

import { nearest } from "./chart.js";
import { ink } from "./colours.js";
import { html, svg } from "./dom.js";
import { raster } from "./raster.js";
import { scale, written } from "./ticks.js";
import * as tooltip from "./tooltip.js";
import { positions, shown, timesteps } from "./vector.js";

export const MARGIN = { top: 24, right: 10, bottom: 24, left: 50 };

/** Pixels that the training-step axis needs for its name. */
export const NAMED = 16;

export class Panel {
  constructor(run) {
    this.run = run;
    this.element = html("div", { class: "panel" });
  }

  /** Draws the run's record; only the marker of the chosen training step moves where nothing else changed. */
  draw(record, { width, height, limits, range, state, shownStep, tag, titled, theme }) {
    const key = JSON.stringify([
      width,
      height,
      limits,
      range,
      state.values,
      state.axis,
      this.run.label,
      this.run.line,
      titled,
      theme,
    ]);
    if (key !== this.key || record !== this.record) {
      [this.key, this.record] = [key, record];
      this.backward = this.run.tags[tag].direction === "backward";
      this.columns = columnsOf(record, this.backward, state);
      this.axis = state.axis;
      this.build(width, height, limits, range, titled);
    }
    const at = this.across(shownStep);
    const outside = shownStep === null || shownStep < limits.first || shownStep > limits.last;
    this.marker.setAttribute("d", outside ? "" : `M${at},${MARGIN.top}V${this.bottom}`);
  }

  build(width, height, limits, range, titled) {
    const colours = ink();
    const [left, right, top, bottom] = [
      MARGIN.left,
      width - MARGIN.right,
      MARGIN.top,
      height - MARGIN.bottom - (titled.x ? NAMED : 0),
    ];
    this.bottom = bottom;
    this.across = scale(limits.first, limits.last, left, right);
    const rows = [-0.5, limits.longest - 0.5];
    // The end of the sequence is at the top on both axes.
    this.along = this.axis === "timestep" ? scale(...rows, bottom, top) : scale(...rows, top, bottom);
    const inside = (at, from) => Object.assign((value) => at(value) - from, { back: (pixel) => at.back(pixel + from) });
    const { address, apart } = raster({
      columns: this.columns,
      width: right - left,
      height: bottom - top,
      across: inside(this.across, left),
      along: inside(this.along, top),
      range,
    });
    const text = (content, properties) =>
      svg("text", { "font-size": 10.5, fill: colours.muted, "text-anchor": "middle", ...properties }, content);
    const figure = svg("svg", {
      width,
      height,
      "data-figure": true,
      "data-run": this.run.name,
      tabindex: 0,
      role: "img",
      "aria-label": `Heatmap of ${this.run.name}: ${this.columns.length} records; arrow keys read values`,
    });
    figure.append(
      svg("rect", { x: left, y: top, width: right - left, height: bottom - top, fill: colours.empty }),
      svg("image", {
        x: left,
        y: top,
        width: right - left,
        height: bottom - top,
        href: address,
        preserveAspectRatio: "none",
        "image-rendering": "pixelated",
      }),
      svg("path", {
        d: `M${left},${top}V${bottom}H${right}`,
        fill: "none",
        stroke: colours.axis,
        "shape-rendering": "crispEdges",
      }),
      svg("path", {
        d: `M${left},12h16`,
        stroke: this.run.line.colour,
        "stroke-width": 3,
        "stroke-dasharray": this.run.line.dash || null,
      }),
      text(this.run.label, { x: left + 22, y: 16, "text-anchor": "start", fill: colours.text, "font-size": 12 }),
    );
    for (const { value, text: label } of this.across.ticks((right - left) / 56)) {
      figure.append(svg("path", { d: `M${this.across(value)},${bottom}v4`, stroke: colours.axis }));
      figure.append(text(label, { x: this.across(value), y: bottom + 15 }));
    }
    for (const { value, text: label } of this.along.ticks((bottom - top) / 26)) {
      figure.append(svg("path", { d: `M${left},${this.along(value)}h-4`, stroke: colours.axis }));
      figure.append(text(label, { x: left - 7, y: this.along(value) + 3.5, "text-anchor": "end" }));
    }
    if (titled.x)
      figure.append(
        text("training step", { x: (left + right) / 2, y: bottom + 31, fill: colours.text, "font-size": 11 }),
      );
    const middle = (top + bottom) / 2;
    const name = this.axis === "timestep" ? "timestep t" : "steps from the end";
    if (titled.y)
      figure.append(
        text(name, { x: 13, y: middle, transform: `rotate(-90 13 ${middle})`, fill: colours.text, "font-size": 11 }),
      );
    this.marker = svg("path", {
      stroke: "#ffffff",
      "stroke-width": 1.2,
      "stroke-dasharray": "3 2",
      "pointer-events": "none",
    });
    this.cursor = svg("path", {
      stroke: "#ffffff",
      fill: "none",
      "stroke-width": 1.5,
      "data-fleeting": true,
      "pointer-events": "none",
    });
    figure.append(this.marker, this.cursor);
    this.apart = apart;
    this.listen(figure);
    this.element.replaceChildren(figure);
  }

  /** Values under the pointer, or under a cursor that the arrow keys move. */
  listen(figure) {
    const steps = this.columns.map((column) => column.step);
    let [column, row] = [steps.length - 1, 0];
    const read = () => {
      const record = this.columns[column];
      if (!record) return;
      row = Math.min(Math.max(row, 0), record.values.length - 1);
      const [x, y] = [this.across(record.step), this.along(record.places[row])];
      this.cursor.setAttribute("d", `M${x - 4},${y}h8M${x},${y - 4}v8`);
      const box = figure.getBoundingClientRect();
      tooltip.show(
        [
          html("strong", {}, this.run.label),
          html("p", {}, `training step ${record.step}, t = ${record.timesteps[row]}`),
          html("p", { class: "number" }, written(record.values[row])),
        ],
        box.left + x,
        box.top + y,
      );
    };
    const leave = () => {
      this.cursor.removeAttribute("d");
      tooltip.hide();
    };
    figure.addEventListener("pointermove", (event) => {
      const box = figure.getBoundingClientRect();
      column = nearest(steps, this.across.back(event.clientX - box.left));
      const place = this.along.back(event.clientY - box.top);
      const places = this.columns[column]?.places ?? [];
      row = places.reduce((best, each, n) => (Math.abs(each - place) < Math.abs(places[best] - place) ? n : best), 0);
      read();
    });
    figure.addEventListener("pointerleave", leave);
    figure.addEventListener("blur", leave);
    figure.addEventListener("keydown", (event) => {
      // Upwards is towards the end of the sequence, on both axes.
      const up = this.axis === "distance" && this.backward ? -1 : 1;
      const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, up], ArrowDown: [0, -up] }[event.key];
      if (!move) return;
      event.preventDefault();
      column = Math.min(Math.max(column + move[0], 0), steps.length - 1);
      row += move[1];
      read();
    });
  }
}

/** The record's training steps as columns: from where to where each reaches, and the value at a place of the axis. */
function columnsOf(record, backward, state) {
  const { steps } = record;
  const half = steps.map((step, n) => (n + 1 < steps.length ? (steps[n + 1] - step) / 2 : null));
  return steps.map((step, n) => {
    const places = positions(record.lengths[n], record.every, backward, state.axis);
    const values = shown(record.values[n], backward, state.values);
    const [first, last] = [places[0], places.at(-1)];
    const count = places.length;
    return {
      step,
      from: step - (half[n - 1] ?? half[n] ?? 1),
      until: step + (half[n] ?? half[n - 1] ?? 1),
      places,
      values,
      timesteps: timesteps(record.lengths[n], record.every, backward),
      at: (place) => {
        const index = count < 2 ? place - first : ((place - first) / (last - first)) * (count - 1);
        return values[Math.round(index)];
      },
    };
  });
}
