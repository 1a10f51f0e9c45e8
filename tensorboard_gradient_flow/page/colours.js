// Colours: lines that colour-blind eyes can tell apart, a perceptually even map for heatmaps, light and dark.

// Okabe and Ito's set without yellow, which is lost on white; lightened for a dark ground.
const LIGHT = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5b5b5b"];
const DARK = ["#4aa8e0", "#ff8a3c", "#2fcfa0", "#e6a3c8", "#f5bd45", "#8fd0f5", "#b9b9b9"];
const DASHES = ["", "7 3", "2 3", "9 3 2 3"];

// Viridis at 33 even distances.
const VIRIDIS = (
  "440154 470d60 48186a 482374 472d7b 453781 424086 3e4989 3b528b 375b8d 33638d 2f6b8e 2c728e 297a8e 26828e 23898e " +
  "21918c 1f988b 1fa088 22a785 28ae80 32b67a 3fbc73 4ec36b 5ec962 70cf57 84d44b 98d83e addc30 c2df23 d8e219 ece51b " +
  "fde725"
)
  .split(" ")
  .map((code) => [0, 2, 4].map((at) => parseInt(code.slice(at, at + 2), 16)));

/** Heatmap cells without a place on the scale. */
export const NOT_A_NUMBER = [150, 150, 150];
export const INFINITE = [214, 39, 40];

/** The line of the n-th run: a colour, and after every seven runs another dash. */
export function line(n) {
  const colours = dark() ? DARK : LIGHT;
  return {
    colour: colours[n % colours.length],
    dash: DASHES[Math.floor(n / colours.length) % DASHES.length],
  };
}

/** Red, green and blue of a share between 0 and 1. */
export function viridis(share) {
  const place = Math.min(Math.max(share, 0), 1) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(place), VIRIDIS.length - 2);
  return VIRIDIS[low].map((from, channel) => from + (place - low) * (VIRIDIS[low + 1][channel] - from));
}

/** A colour as a style sheet writes it. */
export const css = ([red, green, blue]) => `rgb(${Math.round(red)}, ${Math.round(green)}, ${Math.round(blue)})`;

/** Colours of what surrounds the data, which pictures carry with them when they are downloaded. */
export function ink() {
  return dark()
    ? { ground: "#1f2023", text: "#e4e4e6", muted: "#a2a4aa", grid: "#34363b", axis: "#7d8088", empty: "#2b2d31" }
    : { ground: "#ffffff", text: "#202124", muted: "#5f6368", grid: "#ebecee", axis: "#80868b", empty: "#f1f2f4" };
}

const preference = window.matchMedia("(prefers-color-scheme: dark)");

/** TensorBoard's choice where the page is part of it, else the browser's. */
function dark() {
  return document.documentElement.dataset.theme === "dark";
}

/** Follows light and dark, and says when it changes. */
export function followTheme(changed) {
  let body = null;
  try {
    body = window.parent === window ? null : window.parent.document.body;
  } catch {
    // embedded somewhere that does not let us look
  }
  const follow = () => {
    const now = (body ? body.classList.contains("dark-mode") : preference.matches) ? "dark" : "light";
    if (document.documentElement.dataset.theme === now) return;
    document.documentElement.dataset.theme = now;
    changed();
  };
  if (body) new MutationObserver(follow).observe(body, { attributeFilter: ["class"] });
  else preference.addEventListener("change", follow);
  follow();
}
