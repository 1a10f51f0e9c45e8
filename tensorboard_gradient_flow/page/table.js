// Every chosen run and layer: verdict, per-step factor, horizon; and the chip that says it in one word.

import { verdicts } from "./data.js";
import { html } from "./dom.js";
import { written } from "./ticks.js";
import { explain } from "./tooltip.js";
import { View } from "./view.js";

const SIGNS = { vanishing: "↘", healthy: "→", exploding: "↗" };

/** One word on a layer's gradient; why, on hover and for who cannot see it. */
export function chip(verdict) {
  const shown = html(
    "span",
    { class: `chip ${verdict.name}`, tabindex: 0, "data-verdict": verdict.name },
    `${SIGNS[verdict.name]} ${verdict.name}`,
  );
  return explain(shown, verdict.explanation);
}

/** The tag that a layer is judged by: its hidden state's, else what there is. */
export function judged(runs, layer) {
  const tags = runs
    .flatMap((run) => Object.entries(run.tags))
    .filter(([, about]) => about.layer === layer && about.kind === "gradient");
  return (tags.find(([, about]) => about.signal === "h") ?? tags[0])?.[0];
}

export class Verdicts extends View {
  constructor() {
    super("verdicts", "Verdicts", "How far the gradient reaches at the end of what was logged, by run and layer.");
  }

  kinds() {
    return ["csv"];
  }

  async fetch({ runs, layers }) {
    const tags = layers.map((layer) => [layer, judged(runs, layer)]).filter(([, tag]) => tag);
    const found = await Promise.all(tags.map(([, tag]) => verdicts(tag, runs)));
    return new Map(tags.map(([layer], n) => [layer, found[n]]));
  }

  draw({ runs, differing }, data) {
    const head = (text, scope = "col") => html("th", { scope }, text);
    const top = ["run", ...differing, "layer", "verdict", "factor per step", "horizon"].map((text) => head(text));
    const rows = runs.flatMap((run) =>
      [...data]
        .filter(([, found]) => found.has(run.name))
        .map(([layer, found], n) => {
          const verdict = found.get(run.name);
          const swatch = html("span", { class: "swatch", style: `background:${run.line.colour}` });
          return html(
            "tr",
            { class: n ? null : "first" },
            html("th", { scope: "row", title: run.name }, n ? "" : [swatch, run.name]),
            differing.map((name) => html("td", {}, n ? "" : String(run.hparams[name] ?? ""))),
            html("td", {}, layer),
            html("td", {}, chip(verdict)),
            html("td", { class: "number" }, verdict.factor === null ? "–" : `× ${written(verdict.factor)}`),
            html("td", { class: "number" }, `${verdict.horizon} of ${verdict.steps}`),
          );
        }),
    );
    const table = html("table", { class: "verdicts" }, html("thead", {}, html("tr", {}, top)), html("tbody", {}, rows));
    this.figures.replaceChildren(html("div", { class: "wide" }, table));
    this.caption.textContent =
      "Vanishing: the gradient does not reach the first half of the sequence. Exploding: a norm is not finite, or grows a hundredfold on its way back. Made of the last ten records.";
  }

  rows({ runs, differing }, data) {
    const rows = [["run", ...differing, "layer", "verdict", "factor", "horizon", "steps", "explanation"]];
    for (const run of runs) {
      for (const [layer, found] of data) {
        const verdict = found.get(run.name);
        if (!verdict) continue;
        const { name, factor, horizon, steps, explanation } = verdict;
        rows.push([
          run.name,
          ...differing.map((each) => run.hparams[each]),
          layer,
          name,
          factor,
          horizon,
          steps,
          explanation,
        ]);
      }
    }
    return rows;
  }
}
