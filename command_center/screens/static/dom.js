// Elements without a framework.

/** Make an element: h("button.quiet", {type: "button", onclick}, "text", child…). */
export function h(kind, attributes = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Write a text only where it changed, so that a screen reader and the layout are left in peace. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** What tells elements apart that look alike; the rest of their data says how they stand, and changes. */
const TELLING = ["action", "deed", "asset", "order", "person", "gateway", "case", "proposal", "measure", "figure"];

/**
 * How to find an element again once it was drawn anew: by its id, or by what it does and about what. Below something that
 * has an address, what nothing tells apart is the first of its kind there; null where not even that is found.
 */
export function addressOf(element) {
  if (!element || element === document.body) return null;
  if (element.id) return `#${CSS.escape(element.id)}`;
  const own = TELLING.filter((name) => name in element.dataset).map((name) => `[data-${name}="${CSS.escape(element.dataset[name])}"]`).join("");
  const above = element.parentElement?.closest(`[id], ${TELLING.map((name) => `[data-${name}]`).join(", ")}`);
  const before = above && addressOf(above);
  return before ? `${before} ${element.localName}${own}` : own ? `${element.localName}${own}` : null;
}

const drawn = new WeakMap();

/**
 * Draw anew only where what is drawn has changed: `make` gives the new children, `told` is all that they are made of.
 * What somebody selects, points at or listens to is left in peace meanwhile.
 */
export function redraw(element, told, make) {
  const key = JSON.stringify(told);
  if (drawn.get(element) === key) return;
  drawn.set(element, key);
  const address = element.contains(document.activeElement) ? addressOf(document.activeElement) : null;
  element.replaceChildren(...make());
  if (address) document.querySelector(address)?.focus({ preventScroll: true });
}

const SHAPES = {
  plain: '<path d="M1 5h10v2.4H1z"/>',
  critical: '<path fill-rule="evenodd" d="M.5.5h11v11H.5zM5 2.2l.3 4.6h1.4L7 2.2zM5.1 8v1.8h1.8V8z"/>',
  serious: '<path d="M6 .3 11.7 6 6 11.7.3 6z"/>',
  caution: '<path d="M6 .8 11.7 11H.3z"/>',
  normal: '<circle cx="6" cy="6" r="5"/>',
  standby: '<circle cx="6" cy="6" r="4.2" fill="none" stroke="currentColor" stroke-width="2"/>',
  off: '<rect x="1.2" y="1.2" width="9.6" height="9.6" rx="1" fill="none" stroke="currentColor" stroke-width="1.8"/>',
};

/** The shape of one of the six states, or of none (`plain`). */
export function shape(state) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 12 12");
  svg.setAttribute("fill", "currentColor");
  svg.setAttribute("aria-hidden", "true");
  svg.innerHTML = SHAPES[state];
  return svg;
}

/** Shape and word of a state, in its colour. */
export function stateMark(state, word) {
  return h(`span.state.state-${state}`, {}, shape(state), h("span.state-word", {}, word));
}

/** Change a mark made by `stateMark`, only where it differs. */
export function setMark(mark, state, word) {
  const kind = `state state-${state}`;
  if (mark.className !== kind) {
    mark.className = kind;
    mark.querySelector("svg").replaceWith(shape(state));
  }
  write(mark.querySelector(".state-word"), word);
}
