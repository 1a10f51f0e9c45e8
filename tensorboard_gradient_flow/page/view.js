// One section of the page: a heading, figures, a caption, and what can be downloaded of it.
//
// A section asks for its numbers only while it can be seen.

import { pending } from "./data.js";
import { html } from "./dom.js";
import { csv, picture, png, save } from "./download.js";

export class View {
  constructor(id, title, hint) {
    this.id = id;
    this.title = title;
    this.figures = html("div", { class: "figures" });
    this.caption = html("p", { class: "caption" });
    this.downloads = html("div", { class: "downloads", role: "group", "aria-label": `Download ${title}` });
    this.element = html(
      "section",
      { id, "aria-labelledby": `${id}-title` },
      html("header", {}, html("h2", { id: `${id}-title` }, title), html("p", { class: "hint" }, hint), this.downloads),
      this.figures,
      this.caption,
    );
    for (const kind of this.kinds()) {
      this.downloads.append(
        html(
          "button",
          { type: "button", onclick: () => this.download(kind), "data-download": kind },
          kind.toUpperCase(),
        ),
      );
    }
    this.context = null;
    this.stale = false;
    this.seen = false;
    this.turn = 0;
    new IntersectionObserver(
      ([entry]) => {
        this.seen = entry.isIntersecting;
        if (this.seen && this.stale) this.refresh();
      },
      { rootMargin: "80px" },
    ).observe(this.element);
    this.width = 0;
    new ResizeObserver(() => {
      if (this.width && this.figures.clientWidth && this.width !== this.figures.clientWidth) this.update(this.context);
    }).observe(this.figures);
  }

  /** What can be downloaded. */
  kinds() {
    return ["png", "svg", "csv"];
  }

  /** Whether there is anything for this section. */
  wanted() {
    return true;
  }

  /** Shows something else, at once or as soon as it can be seen. */
  update(context) {
    this.context = context;
    this.element.hidden = !context || !this.wanted(context);
    this.stale = true;
    return this.seen && !this.element.hidden ? this.refresh() : null;
  }

  refresh() {
    this.reading = this.read();
    return this.reading;
  }

  async read() {
    this.stale = false;
    const [turn, context] = [++this.turn, this.context];
    this.element.setAttribute("aria-busy", "true");
    if (!this.figures.hasChildNodes()) this.say("Reading …");
    pending.change(+1);
    try {
      const data = await this.fetch(context);
      if (turn !== this.turn) return; // something newer is on its way
      this.width = this.figures.clientWidth;
      this.data = data;
      this.draw(context, data);
    } catch (error) {
      if (turn === this.turn) this.say(`Nothing could be read: ${error.message}`);
    } finally {
      if (turn === this.turn) this.element.removeAttribute("aria-busy");
      pending.change(-1);
    }
  }

  /** Puts a sentence where the figures would be. */
  say(text) {
    this.figures.replaceChildren(html("p", { class: "notice" }, text));
    this.caption.textContent = "";
  }

  /** What the section is about, for the title of a picture and the name of a file. */
  about({ layer, signal, shownStep }) {
    return [this.title, layer, signal, shownStep === null ? null : `training step ${shownStep}`].filter(Boolean);
  }

  async download(kind) {
    await (this.stale ? this.refresh() : this.reading);
    if (!this.data) return;
    const name = ["gradient_flow", this.id, this.context.layer, this.context.signal].join("-");
    if (kind === "csv") {
      save(csv(this.rows(this.context, this.data)), "text/csv", `${name}.csv`);
      return;
    }
    const drawn = picture(this.figures, this.about(this.context).join(" · "));
    if (kind === "svg") save(drawn.text, "image/svg+xml", `${name}.svg`);
    else save(await png(drawn), "image/png", `${name}.png`);
  }
}
