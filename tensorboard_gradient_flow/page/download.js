// What is shown, as a file: SVG and PNG of a section's figures where they stand, CSV of its numbers.

import { ink } from "./colours.js";
import { svg } from "./dom.js";

const SHARPNESS = 2; // pixels of a PNG for each of the screen

/** All figures in an element as one SVG picture with a title. */
export function picture(element, title) {
  const figures = [...element.querySelectorAll("svg[data-figure]")];
  const places = figures.map((figure) => figure.getBoundingClientRect());
  const left = Math.min(...places.map((place) => place.left));
  const top = Math.min(...places.map((place) => place.top));
  const width = Math.ceil(Math.max(...places.map((place) => place.right)) - left);
  const height = Math.ceil(Math.max(...places.map((place) => place.bottom)) - top) + 26;
  const colours = ink();
  const font = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif";
  const whole = svg(
    "svg",
    { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}`, "font-family": font },
    svg("rect", { width, height, fill: colours.ground }),
    svg("text", { x: 10, y: 18, fill: colours.text, "font-size": 13, "font-weight": 600 }, title),
  );
  figures.forEach((figure, n) => {
    const copy = figure.cloneNode(true);
    copy.setAttribute("x", places[n].left - left);
    copy.setAttribute("y", places[n].top - top + 26);
    copy.querySelectorAll("[data-fleeting]").forEach((part) => part.remove());
    whole.append(copy);
  });
  return { text: new XMLSerializer().serializeToString(whole), width, height };
}

/** The picture as PNG. */
export async function png({ text, width, height }) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = width * SHARPNESS;
  canvas.height = height * SHARPNESS;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** Rows as comma-separated values. */
export function csv(rows) {
  const field = (value) => (/[",\r\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  return rows.map((row) => row.map((value) => field(value ?? "")).join(",")).join("\n") + "\n";
}

/** Hands a file to whoever reads the page. */
export function save(content, type, name) {
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name.replaceAll(/[^A-Za-z0-9._-]+/g, "_");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
