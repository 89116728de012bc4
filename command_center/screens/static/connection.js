// The connection strip: one mark for the whole, which shows its worst part; the parts open under it.

import { h, setMark, stateMark, write } from "./dom.js";
import { live } from "./live.js";
import { span } from "./time.js";
import { partName, partState, say } from "./words.js";

const LINK_STATES = { connecting: "standby", connected: "normal", silent: "caution", broken: "critical" };
const PART_STATES = { running: "normal", restarting: "caution", unknown: "caution", away: "serious", stopped: "critical", low: "caution", critical: "critical", faulty: "critical" };
const RANK = ["off", "normal", "standby", "caution", "serious", "critical"];

export function mount(element) {
  const mark = stateMark("standby", say("connection.connecting"));
  const button = h("button.quiet.connection", { type: "button", "aria-expanded": "false", "aria-controls": "connection-parts" }, mark);
  const list = h("ul.connection-parts", { id: "connection-parts", hidden: true });
  const spoken = h("span.visually-hidden", { role: "status" });
  element.append(button, list, spoken);
  button.addEventListener("click", () => open(button, list, list.hidden));
  document.addEventListener("click", (event) => {
    if (!element.contains(event.target)) open(button, list, false);
  });
  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) {
      open(button, list, false);
      event.stopPropagation();
    }
  });
  const paint = () => {
    const parts = named([...live.parts.values()]);
    const worst = worstOf(live.link, parts);
    setMark(mark, worst.state, worst.word);
    write(spoken, worst.word);
    list.replaceChildren(...rows(live.link, parts));
  };
  for (const type of ["link", "part", "snapshot"]) live.on(type, paint);
  setInterval(paint, 1_000);
  paint();
}

function open(button, list, isOpen) {
  list.hidden = !isOpen;
  button.setAttribute("aria-expanded", String(isOpen));
}

/** Where each media node is a part of its own, the one that stands for all of them would be a node too many. */
function named(parts) {
  return parts.some(({ name }) => name.startsWith("media-")) ? parts.filter(({ name }) => name !== "media") : parts;
}

/** The worst of the socket and the parts, in words. */
export function worstOf(link, parts) {
  let worst = { state: LINK_STATES[link.state], word: say(`connection.${link.state}`) };
  if (link.state === "broken" || link.state === "silent") {
    return { ...worst, word: `${worst.word} ${span(Date.now() - link.since)}` };
  }
  for (const part of parts) {
    const state = PART_STATES[part.state] ?? "caution";
    if (RANK.indexOf(state) > Math.max(RANK.indexOf(worst.state), RANK.indexOf("standby"))) {
      worst = { state, word: say("connection.part", { part: partName(part.name), state: partState(part) }) };
    }
  }
  return worst;
}

function rows(link, parts) {
  const marks = [[say("part.link"), stateMark(LINK_STATES[link.state], say(`connection.${link.state}`))]];
  for (const part of [...parts].sort((a, b) => a.name.localeCompare(b.name))) {
    // While the socket is broken nothing is known of the parts.
    const state = link.state === "broken" ? "off" : (PART_STATES[part.state] ?? "caution");
    const word = link.state === "broken" ? say("connection.unknown") : partState(part);
    marks.push([partName(part.name), stateMark(state, word)]);
  }
  return marks.map(([name, mark]) => h("li", {}, h("span", {}, name), mark));
}
