// Keys of the pages, and the list of them. Keys are never taken from somebody who writes.

import { showDialog } from "./dialog.js";
import { h } from "./dom.js";
import { say } from "./words.js";

const OF_THE_CENTRE = [
  [["1", "…", "9"], "keys.pick"],
  [["Enter"], "keys.enlarge"],
  [["Esc"], "keys.back"],
  [["M"], "keys.mute"],
  [["D"], "keys.figures"],
  [["T"], "keys.talk"],
  [["I"], "keys.instruct"],
  [["F"], "keys.fit"],
];
const OF_THE_REVIEW = [
  [["Space"], "review.key.play"],
  [["←", "→"], "review.key.step"],
  [["Shift", "←", "→"], "review.key.leap"],
  [[",", "."], "review.key.frame"],
  [["<", ">"], "review.key.speed"],
  [["↑", "↓"], "review.key.event"],
  [["G"], "review.key.gap"],
  [["Home", "End"], "review.key.ends"],
  [["+", "−", "0"], "review.key.zoom"],
  [["1", "…", "6"], "keys.pick"],
  [["Enter"], "keys.enlarge"],
  [["Esc"], "keys.back"],
  [["M"], "review.key.hear"],
  [["V"], "review.key.voice"],
  [["B"], "review.key.mark"],
  [["E"], "review.key.export"],
  [["C"], "review.key.verify"],
  [["L"], "review.key.follow"],
  [["F"], "keys.fit"],
];
const OF_THE_ASSETS = [
  [["/"], "asset.key.search"],
  [["↑", "↓"], "asset.key.walk"],
  [["Home", "End"], "asset.key.ends"],
  [["Enter"], "asset.key.act"],
  [["Esc"], "asset.key.leave"],
];
const OF_EVERY_PAGE = [[["?"], "keys.help"]];

/** The keys of the page that is open. */
function rows() {
  const own = { "/": OF_THE_CENTRE, "/review": OF_THE_REVIEW, "/assets": OF_THE_ASSETS }[location.pathname] ?? [];
  return [...own, ...OF_EVERY_PAGE];
}

const handlers = [];

/** Be asked for each key press outside of text fields: handler(event) answers true where it took the key. */
export function onKey(handler) {
  handlers.push(handler);
}

/** Whether this element takes text, so that its keys are its own. */
export function isWriting(element) {
  return element instanceof HTMLElement && (element.isContentEditable || element.matches("input, textarea, select, [role=combobox]"));
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  if (isWriting(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "?") {
    showKeys();
    event.preventDefault();
    return;
  }
  for (const handler of handlers) {
    if (handler(event)) {
      event.preventDefault();
      return;
    }
  }
});

/** Show all keys. */
export function showKeys() {
  const dialog = h(
    "dialog.keys",
    { "aria-labelledby": "keys-title" },
    h("h2", { id: "keys-title" }, say("keys.title")),
    h("dl", {}, rows().map(([keys, words]) => [h("dt", {}, keys.map((key) => h("kbd", {}, key))), h("dd", {}, say(words))])),
    h("form", { method: "dialog" }, h("button", {}, say("keys.close"))),
  );
  showDialog(dialog);
}
