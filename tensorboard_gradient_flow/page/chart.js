// A line chart in SVG: axes with units, lines, a legend, and a cross-hair for pointer and arrow keys.

import { ink } from "./colours.js";
import { html, svg } from "./dom.js";
import { scale, written } from "./ticks.js";
import * as tooltip from "./tooltip.js";

const MARGIN = { top: 10, right: 16, bottom: 42, left: 66 };
const LETTER = 6.2; // pixels, about, of a letter in the legend

/**
 * Draws a chart anew.
 *
 * `x` and `y`: `{ label, low, high, log }`, limits made from the lines where they are missing.
 * `lines`: `{ run, label, colour, dash, width, opacity, x, y, name }`, `name` telling apart several lines of a run;
 * a line without `legend: false` has a place in the legend. `rule`: where a vertical line stands.
 * `keys`: further legend entries, `{ label, dash }`.
 */
export function lineChart(svgWidth, height, { title, x, y, lines, rule = null, keys = [] }) {
  const colours = ink();
  const { entries, rows } = legend(svgWidth, [...lines.filter((line) => line.legend !== false), ...keys]);
  const margin = { ...MARGIN, top: MARGIN.top + (title ? 18 : 0) + rows * 17 };
  const [right, bottom] = [svgWidth - margin.right, height + rows * 17 - margin.bottom];
  const across = scale(...limits(lines, x, "x"), margin.left, right, x.log);
  const up = scale(...limits(lines, y, "y"), bottom, margin.top, y.log);

  const text = (content, properties) =>
    svg("text", { fill: colours.muted, "font-size": 11, "text-anchor": "middle", ...properties }, content);
  const figure = svg("svg", {
    width: svgWidth,
    height: height + rows * 17,
    "data-figure": true,
    tabindex: 0,
    role: "img",
    "aria-label": `${title ?? y.label} against ${x.label}, ${lines.length} lines; arrow keys read values`,
  });
  const grid = svg("g", { "shape-rendering": "crispEdges" });
  const labels = svg("g", {});
  for (const { value, text: label } of up.ticks((bottom - margin.top) / 42)) {
    grid.append(svg("path", { d: `M${margin.left},${up(value)}H${right}`, stroke: colours.grid }));
    labels.append(text(label, { x: margin.left - 8, y: up(value) + 3.5, "text-anchor": "end" }));
  }
  for (const { value, text: label } of across.ticks((right - margin.left) / 80)) {
    grid.append(svg("path", { d: `M${across(value)},${bottom}v5`, stroke: colours.axis }));
    labels.append(text(label, { x: across(value), y: bottom + 18 }));
  }
  grid.append(
    svg("path", { d: `M${margin.left},${margin.top}V${bottom}H${right}`, stroke: colours.axis, fill: "none" }),
  );
  labels.append(text(x.label, { x: (margin.left + right) / 2, y: bottom + 36, fill: colours.text, "font-size": 12 }));
  const middle = (margin.top + bottom) / 2;
  labels.append(
    text(y.label, { x: 15, y: middle, transform: `rotate(-90 15 ${middle})`, fill: colours.text, "font-size": 12 }),
  );
  if (title)
    labels.append(
      text(title, {
        x: margin.left,
        y: 14,
        "text-anchor": "start",
        fill: colours.text,
        "font-weight": 600,
        "font-size": 12,
      }),
    );
  figure.append(grid, labels, drawnLegend(entries, title ? 18 : 0, colours));
  // An SVG picture inside another one clips what leaves it.
  const place = {
    x: margin.left - 2,
    y: margin.top - 2,
    width: right - margin.left + 4,
    height: bottom - margin.top + 3,
  };
  const plot = svg("svg", { ...place, viewBox: Object.values(place).join(" ") });
  if (rule !== null) {
    plot.append(
      svg("path", { d: `M${across(rule)},${margin.top}V${bottom}`, stroke: colours.axis, "stroke-dasharray": "3 3" }),
    );
  }
  plot.append(...lines.map((line) => drawn(line, across, up, y.log, margin.top)));
  figure.append(plot);
  crossHair(figure, lines, across, { margin, right, bottom, colours, x });
  return figure;
}

function limits(lines, axis, name) {
  let [low, high] = [Infinity, -Infinity];
  for (const line of lines) {
    for (const value of line[name]) {
      if (!Number.isFinite(value) || (axis.log && value <= 0)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (axis.log && axis.decades) low = Math.max(low, high / 10 ** axis.decades);
  [low, high] = [axis.low ?? low, axis.high ?? high];
  if (!(low <= high)) return axis.log ? [0.1, 1] : [0, 1];
  if (axis.log) return low === high ? [low / 2, high * 2] : [low / 1.15, high * 1.15];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

/** One line; where a value cannot be drawn it has a gap, and what is not finite a cross at the top. */
function drawn(line, across, up, log, top) {
  let path = "";
  let pen = "M";
  let lost = "";
  line.y.forEach((value, n) => {
    if (Number.isFinite(value) && (!log || value > 0)) {
      path += `${pen}${across(line.x[n]).toFixed(1)},${up(value).toFixed(1)}`;
      pen = "L";
      return;
    }
    pen = "M";
    if (!Number.isFinite(value) && value !== null)
      lost += `M${(across(line.x[n]) - 3).toFixed(1)},${top + 2}l6,6m0,-6l-6,6`;
  });
  const look = {
    fill: "none",
    stroke: line.colour,
    "stroke-width": line.width ?? 1.8,
    "stroke-dasharray": line.dash || null,
    "stroke-linejoin": "round",
    opacity: line.opacity ?? null,
  };
  const about = { "data-run": line.run, "data-line": line.name ?? "current", "data-step": line.step ?? null };
  const whole = svg("g", {}, svg("path", { d: dotted(path), ...look, ...about, "stroke-linecap": "round" }));
  if (lost) whole.append(svg("path", { d: lost, ...look, "stroke-dasharray": null, "data-not-finite": line.run }));
  return whole;
}

/** A point without neighbours would be invisible: it gets a short stroke of its own. */
const dotted = (path) => path.replaceAll(/M([\d.-]+),([\d.-]+)(?=M|$)/g, "M$1,$2h0.01");

/** Where the legend's entries stand, row by row. */
function legend(width, wanted) {
  const entries = [];
  let [x, row] = [MARGIN.left, 0];
  const shown = wanted.length > 1 ? wanted : wanted.filter((entry) => entry.label);
  for (const entry of shown) {
    const room = 34 + entry.label.length * LETTER;
    if (x + room > width - MARGIN.right && x > MARGIN.left) [x, row] = [MARGIN.left, row + 1];
    entries.push({ ...entry, at: x, row });
    x += room + 10;
  }
  return { entries, rows: entries.length ? row + 1 : 0 };
}

function drawnLegend(entries, top, colours) {
  return svg(
    "g",
    { "font-size": 11 },
    entries.map((entry) => {
      const y = top + 10 + entry.row * 17;
      const stroke = {
        stroke: entry.colour ?? colours.muted,
        "stroke-width": 2,
        "stroke-dasharray": entry.dash || null,
        opacity: entry.opacity ?? null,
      };
      return svg(
        "g",
        {},
        svg("path", { d: `M${entry.at},${y}h22`, ...stroke }),
        svg("text", { x: entry.at + 28, y: y + 4, fill: colours.text }, entry.label),
      );
    }),
  );
}

/** Values of all lines at one place, beside a vertical line; the place follows the pointer or the arrow keys. */
function crossHair(figure, lines, across, { margin, right, bottom, colours, x }) {
  const places = [...new Set(lines.flatMap((line) => [...line.x]))].sort((one, other) => one - other);
  if (!places.length) return;
  const hair = svg("path", { stroke: colours.axis, fill: "none", "data-fleeting": true });
  figure.append(hair);
  let chosen = places.length - 1;
  const read = (index) => {
    chosen = Math.min(Math.max(index, 0), places.length - 1);
    const place = places[chosen];
    hair.setAttribute("d", `M${across(place)},${margin.top}V${bottom}`);
    const rows = lines
      .map((line) => ({ line, value: line.y[line.x.indexOf(place)] }))
      .filter(({ value, line }) => value !== undefined && line.read !== false)
      .sort((one, other) => other.value - one.value)
      .slice(0, 16);
    const box = figure.getBoundingClientRect();
    tooltip.show(
      [html("strong", {}, `${x.short ?? x.label} ${written(place)}`), html("table", {}, rows.map(tooltipRow))],
      box.left + across(place),
      box.top + (margin.top + bottom) / 2,
    );
  };
  const leave = () => {
    hair.removeAttribute("d");
    tooltip.hide();
  };
  figure.addEventListener("pointermove", (event) => {
    const pixel = event.clientX - figure.getBoundingClientRect().left;
    if (pixel < margin.left - 6 || pixel > right + 6) return leave();
    return read(nearest(places, across.back(pixel)));
  });
  figure.addEventListener("pointerleave", leave);
  figure.addEventListener("blur", leave);
  figure.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10, Home: -places.length, End: places.length }[
      event.key
    ];
    if (!move) return;
    event.preventDefault();
    read(chosen + move);
  });
}

function tooltipRow({ line, value }) {
  const swatch = html("span", { class: "swatch", style: `background:${line.colour}` });
  const name = line.name && line.name !== "current" ? `${line.label} (${line.name})` : line.label;
  return html("tr", {}, html("td", {}, swatch, name), html("td", { class: "number" }, written(value)));
}

/** The index of the value nearest to a wanted one, in an ascending list. */
export function nearest(values, wanted) {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low > 0 && wanted - values[low - 1] < values[low] - wanted ? low - 1 : low;
}
