// Elements from calls. Text is always text: nothing of a visitor's data is ever parsed as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element: `h("p", {class: "soft"}, "text", child)`. */
export function h(tag, props = {}, ...children) {
  return filled(document.createElement(tag), props, children);
}

/** An SVG element. */
export function s(tag, props = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), props, children);
}

function filled(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
    else if (["value", "checked", "selected", "disabled", "indeterminate"].includes(name)) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** Put new children in place of the old ones. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/** A table with a head; numbers are aligned to the right. */
export function table(head, rows, { numbers = [], caption } = {}) {
  const cell = (tag, value, place) => h(tag, { class: numbers.includes(place) ? "number" : null }, value);
  return h("div", { class: "table", tabindex: "0", role: "region", "aria-label": caption ?? "table" },
    h("table", {},
      caption && h("caption", {}, caption),
      h("thead", {}, h("tr", {}, head.map((one, place) => cell("th", one, place)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((one, place) => cell("td", one, place)))))));
}

/** A labelled control. */
export function field(label, control, note) {
  return h("label", { class: "field" }, h("span", {}, label), control, note && h("small", {}, note));
}

/** A select with [value, text] options. */
export function select(options, chosen, onchange, props = {}) {
  return h("select", { ...props, onchange: (event) => onchange(event.target.value) },
    options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
}
