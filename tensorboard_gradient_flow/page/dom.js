// Elements of the page. Texts become text nodes, never markup: a run may be named anything.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element. `properties`: `on…` are listeners, the rest attributes; `false` and `null` leave one out. */
export function html(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/** An SVG element; arguments as of `html`. */
export function svg(tag, properties = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), properties, children);
}

function filled(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A `<select>` with a label; `choices` are `[value, text]`, or `[group, [[value, text], …]]`. */
export function select(label, choices, chosen, change) {
  const option = ([value, text]) => html("option", { value, selected: value === chosen }, text);
  const list = html("select", { onchange: (event) => change(event.target.value) });
  for (const [value, text] of choices) {
    list.append(Array.isArray(text) ? html("optgroup", { label: value }, text.map(option)) : option([value, text]));
  }
  return html("label", { class: "control" }, html("span", {}, label), list);
}

/** A few exclusive choices, as buttons side by side. */
export function choice(name, label, choices, chosen, change) {
  return html(
    "fieldset",
    { class: "control choice", "data-control": name },
    html("legend", {}, label),
    html(
      "div",
      {},
      choices.map(([value, text]) =>
        html(
          "label",
          {},
          html("input", { type: "radio", name, value, checked: value === chosen, onchange: () => change(value) }),
          html("span", {}, text),
        ),
      ),
    ),
  );
}
