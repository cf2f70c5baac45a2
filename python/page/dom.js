/** Elements: how the page is made, without a framework. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Return an element.
 *
 * A function among the attributes listens to the event of that name, `style` is an object of CSS
 * properties (the policy of the page forbids the attribute), and what is null or false is left out.
 * Children are nodes, texts, and lists of these.
 */
export function h(name, attributes = {}, ...children) {
  return build(document.createElement(name), attributes, children);
}

/** Return an element of a drawing. */
export function svg(name, attributes = {}, ...children) {
  return build(document.createElementNS(SVG, name), attributes, children);
}

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "style") setStyle(element, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter(isThere));
  return element;
}

function setStyle(element, properties) {
  for (const [property, value] of Object.entries(properties)) {
    element.style.setProperty(property, value);
  }
}

function isThere(child) {
  return child !== null && child !== undefined && child !== false;
}

/** Replace all children of an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter(isThere));
}

/** Return a section with a frame and a title, which names it. */
export function card(id, title, ...children) {
  const titleId = `${id}-title`;
  return h("section", { class: `card ${id}`, id, "aria-labelledby": titleId }, h("h2", { id: titleId }, title), ...children);
}

/** Return a section that opens; `summary` stays visible. */
export function opening(summary, attributes, ...children) {
  return h("details", attributes, h("summary", {}, summary), ...children);
}

export function button(text, click, attributes = {}) {
  return h("button", { type: "button", click, ...attributes }, text);
}

/** Return a function that calls another one once it has not been called for some milliseconds. */
export function debounce(call, milliseconds) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(call, milliseconds);
  };
}

/** Call a function once everything that is there by now has been drawn. */
export function whenDrawn(call) {
  requestAnimationFrame(() => setTimeout(call));
}

/** Call a function once the browser has nothing else to do. */
export function whenIdle(call) {
  // Safari has no such thing.
  (window.requestIdleCallback ?? setTimeout)(call);
}

let lastId = 0;

/** Return an id that no other element has. */
export function newId() {
  lastId += 1;
  return `id-${lastId}`;
}

/** Copy a text; return whether that worked. Browsers offer it on https and localhost alone. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

function copySelected(text) {
  const area = h("textarea", { "aria-hidden": "true", class: "off-screen" });
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}
