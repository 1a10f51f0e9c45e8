// From records to the pixels of a heatmap, and the colour bar that explains them.

import { INFINITE, NOT_A_NUMBER, css, ink, viridis } from "./colours.js";
import { nearest } from "./chart.js";
import { svg } from "./dom.js";
import { scale } from "./ticks.js";

const SHADES = 256;
const DECADES = 8; // of a logarithmic colour scale; what is smaller is shown as the smallest

/** The colour scale that all runs share: `{ low, high, log }`. */
export function sharedRange(records, values, kind) {
  if (kind === "gate") return { low: 0, high: 1, log: false };
  const ranges = [...records].map((record) => (values === "relative" ? record.relative : record.range));
  const some = ranges.filter((range) => range.length);
  if (!some.length) return { low: 0.1, high: 1, log: true };
  const high = Math.max(...some.map((range) => range[1]));
  const low = Math.max(Math.min(...some.map((range) => range[0])), high / 10 ** DECADES);
  return { low: low < high ? low : high / 10, high, log: true };
}

/** The picture of one run as a data address, and what it had to colour apart. */
export function raster({ columns, width, height, across, along, range }) {
  const sharpness = Math.min(Math.max(window.devicePixelRatio, 1), 2);
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * sharpness);
  canvas.height = Math.round(height * sharpness);
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  const shade = shades(range);
  const steps = columns.map((column) => column.step);
  const apart = { nan: false, infinite: false };
  for (let x = 0; x < canvas.width; x++) {
    const step = across.back((x + 0.5) / sharpness);
    const column = columns[nearest(steps, step)];
    if (!column || step > column.until || step < column.from) continue;
    for (let y = 0; y < canvas.height; y++) {
      const value = column.at(along.back((y + 0.5) / sharpness));
      if (value === undefined) continue;
      pixels[y * canvas.width + x] = shade(value);
      if (Number.isNaN(value)) apart.nan = true;
      else if (!Number.isFinite(value)) apart.infinite = true;
    }
  }
  context.putImageData(image, 0, 0);
  return { address: canvas.toDataURL(), apart };
}

/** From a value to a pixel. */
function shades({ low, high, log }) {
  const pixel = ([red, green, blue]) => (255 << 24) | (blue << 16) | (green << 8) | red;
  const table = Array.from({ length: SHADES }, (_, n) => pixel(viridis(n / (SHADES - 1)).map(Math.round)));
  const place = log ? Math.log : (value) => value;
  const [begin, width] = [place(low), place(high) - place(low)];
  return (value) => {
    if (Number.isNaN(value)) return pixel(NOT_A_NUMBER);
    if (!Number.isFinite(value)) return pixel(INFINITE);
    const share = log && value <= 0 ? 0 : (place(value) - begin) / width;
    return table[Math.round(Math.min(Math.max(share, 0), 1) * (SHADES - 1))];
  };
}

/** A bar with the colours of a range, ticks and a label. */
export function colourBar(range, label, apart, left) {
  const [width, height, length] = [460, 46, 300];
  const colours = ink();
  const at = scale(range.low, range.high, left, left + length, range.log);
  const text = (content, properties) =>
    svg("text", { "font-size": 11, fill: colours.muted, "text-anchor": "middle", ...properties }, content);
  const bar = svg("svg", { width, height, "data-figure": true, role: "img", "aria-label": `colour scale: ${label}` });
  bar.append(text(label, { x: left, y: 11, "text-anchor": "start", fill: colours.text, "font-size": 12 }));
  for (let n = 0; n < 100; n++) {
    bar.append(
      svg("rect", {
        x: left + (n * length) / 100,
        y: 17,
        width: length / 100 + 0.6,
        height: 11,
        fill: css(viridis((n + 0.5) / 100)),
      }),
    );
  }
  for (const { value, text: written } of at.ticks(length / 60)) {
    bar.append(svg("path", { d: `M${at(value)},28v4`, stroke: colours.axis }), text(written, { x: at(value), y: 43 }));
  }
  const others = [
    ["NaN", NOT_A_NUMBER, apart.nan],
    ["∞", INFINITE, apart.infinite],
  ].filter(([, , there]) => there);
  others.forEach(([name, colour], n) => {
    const x = left + length + 20 + n * 44;
    bar.append(svg("rect", { x, y: 17, width: 11, height: 11, fill: css(colour), "data-apart": name }));
    bar.append(text(name, { x: x + 15, y: 26, "text-anchor": "start" }));
  });
  return bar;
}
