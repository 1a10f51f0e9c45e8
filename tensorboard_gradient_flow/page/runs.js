// The list of runs: filter, colours, what differs between the chosen ones, a verdict chip for the chosen layer.

import { verdicts } from "./data.js";
import { html, select, svg } from "./dom.js";
import { chip, judged } from "./table.js";

/** Whether a run's name matches: a regular expression, or just a piece of it where that is none. */
export function matcher(filter) {
  try {
    const pattern = new RegExp(filter, "i");
    return (name) => pattern.test(name);
  } catch {
    return (name) => name.toLowerCase().includes(filter.toLowerCase());
  }
}

/** Hyper-parameters whose values differ between runs that have them. */
export function differing(runs) {
  const values = new Map();
  for (const run of runs) {
    for (const [name, value] of Object.entries(run.hparams)) {
      if (!values.has(name)) values.set(name, new Set());
      values.get(name).add(value);
    }
  }
  return [...values]
    .filter(([, different]) => different.size > 1)
    .map(([name]) => name)
    .sort();
}

/** A name that fits into a legend. */
export function short(name, most = 34) {
  return name.length <= most ? name : `${name.slice(0, most / 2 - 1)}…${name.slice(-most / 2 + 1)}`;
}

export class Runs {
  constructor(store) {
    this.store = store;
    this.count = html("p", { class: "count", "aria-live": "polite" });
    this.filter = html("input", {
      type: "search",
      id: "filter",
      placeholder: "regular expression",
      spellcheck: "false",
      oninput: () => store.set({ filter: this.filter.value }),
    });
    this.list = html("ul", { class: "runs" });
    this.names = html("div", {});
    this.element = html(
      "aside",
      { "aria-label": "Runs" },
      html("h2", {}, "Runs"),
      html("label", { class: "control", for: "filter" }, html("span", {}, "Filter"), this.filter),
      html(
        "div",
        { class: "buttons" },
        html("button", { type: "button", "data-all": true, onclick: () => this.choose(true) }, "Choose all"),
        html("button", { type: "button", "data-none": true, onclick: () => this.choose(false) }, "Choose none"),
      ),
      this.count,
      this.list,
      this.names,
    );
  }

  /** Chooses all that the filter shows, or none of them. */
  choose(all) {
    const { chosen, every } = this.context;
    const seen = every.map((run) => run.name).filter(matcher(this.store.state.filter));
    const others = chosen.filter((name) => !seen.includes(name));
    this.store.set({ runs: all ? [...others, ...seen].sort() : others });
  }

  toggle(name, on) {
    const others = this.context.chosen.filter((other) => other !== name);
    this.store.set({ runs: on ? [...others, name].sort() : others });
  }

  update(context) {
    this.context = context;
    const { every, chosen, state, differing, layer } = context;
    if (this.filter.value !== state.filter) this.filter.value = state.filter;
    const matches = matcher(state.filter);
    const seen = every.filter((run) => matches(run.name));
    const hidden = chosen.filter((name) => !matches(name)).length;
    this.count.textContent =
      `${chosen.length} of ${every.length} chosen` + (hidden ? `, ${hidden} of them hidden by the filter` : "");
    const key = JSON.stringify([
      seen.map((run) => [run.name, run.line, run.hparams]),
      chosen,
      differing,
      layer,
      state.names,
    ]);
    if (key !== this.key) {
      this.key = key;
      this.rebuild(seen, new Set(chosen), differing, state);
    }
    this.judge(context);
  }

  rebuild(seen, chosen, differing, state) {
    const focused = document.activeElement?.value;
    const inside = this.list.contains(document.activeElement);
    this.chips = new Map();
    this.list.replaceChildren(
      ...seen.map((run) => {
        const mark = html("span", { class: "chip-place" });
        this.chips.set(run.name, mark);
        const given = chosen.has(run.name) ? differing.filter((name) => name in run.hparams) : [];
        return html(
          "li",
          { class: given.length ? "told" : null },
          html(
            "label",
            { title: run.name },
            html("input", {
              type: "checkbox",
              value: run.name,
              checked: chosen.has(run.name),
              onchange: (event) => this.toggle(run.name, event.target.checked),
            }),
            stroke(run.line),
            html("span", { class: "name" }, run.name),
          ),
          given.length > 0 &&
            html("p", { class: "hparams" }, given.map((name) => `${name} = ${run.hparams[name]}`).join(" · ")),
          mark,
        );
      }),
    );
    if (inside) [...this.list.querySelectorAll("input")].find((input) => input.value === focused)?.focus();
    const choices = [
      ["run", "run name"],
      ["hparams", "hyper-parameters that differ"],
    ];
    this.names.replaceChildren(
      ...(differing.length || state.names === "hparams"
        ? [select("Label lines by", choices, state.names, (names) => this.store.set({ names }))]
        : []),
    );
  }

  /** Puts the chips on the chosen runs. */
  async judge({ runs, layer }) {
    const tag = judged(runs, layer);
    if (!tag) return;
    const places = this.chips;
    const found = await verdicts(tag, runs).catch(() => new Map());
    if (places !== this.chips) return;
    for (const [name, verdict] of found) {
      const place = places.get(name);
      if (place && place.dataset.why !== verdict.explanation) {
        place.dataset.why = verdict.explanation;
        place.replaceChildren(chip(verdict));
      }
    }
  }
}

/** A piece of a run's line. */
function stroke({ colour, dash }) {
  const line = { d: "M1,6h20", stroke: colour, "stroke-width": 2.5, "stroke-dasharray": dash || null };
  return svg("svg", { width: 22, height: 12, "aria-hidden": "true" }, svg("path", line));
}
