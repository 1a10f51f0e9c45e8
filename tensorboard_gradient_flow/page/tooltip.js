// One box that follows the pointer, or stands beside what has the focus.

import { html } from "./dom.js";

const box = html("div", { id: "tooltip", role: "status", "aria-live": "polite", hidden: true });

/** Puts the box on the page. */
export function install() {
  document.body.append(box);
  addEventListener("scroll", hide, { passive: true });
  addEventListener("keydown", (event) => event.key === "Escape" && hide());
}

/** Shows some content beside a point of the window. */
export function show(content, x, y) {
  box.replaceChildren(...[content].flat());
  box.hidden = false;
  const { width, height } = box.getBoundingClientRect();
  const left = x + 14 + width < innerWidth ? x + 14 : Math.max(4, x - 14 - width);
  const top = Math.min(Math.max(4, y - height / 2), innerHeight - height - 4);
  box.style.left = `${left}px`;
  box.style.top = `${top}px`;
}

export function hide() {
  box.hidden = true;
}

/** Shows a text while an element is pointed at or has the focus. */
export function explain(element, text) {
  const here = () => {
    const place = element.getBoundingClientRect();
    show(html("p", {}, text), place.right - 8, place.top + place.height / 2);
  };
  element.addEventListener("pointerenter", here);
  element.addEventListener("pointerleave", hide);
  element.addEventListener("focus", here);
  element.addEventListener("blur", hide);
  element.setAttribute("aria-label", `${element.textContent}: ${text}`);
  return element;
}
