// What the tables of the page of retention have in common: sizes, classes, people.

import { h } from "./dom.js";
import { minute } from "./time.js";
import { say } from "./words.js";

const MEGABYTE = 1_000_000;

/** So many bytes, in a unit that suits them. */
export function size(bytes) {
  const megabytes = bytes / MEGABYTE;
  return megabytes >= 1000 ? `${(megabytes / 1000).toFixed(1)} GB` : `${megabytes.toFixed(megabytes < 10 ? 1 : 0)} MB`;
}

/** A class with its period; 0 days are for ever. */
function classWords(name, days) {
  return say(days ? "retention.class.days" : "retention.class.ever", { name, meaning: say(`retention.class.${name}`), days });
}

/** The three classes to choose from, with their periods or (`isShort`) without; `change` is falsy for who may not. */
export function classChoice(current, days, change, isShort = false) {
  const options = ["A", "B", "C"].map((name) => h("option", {
    value: name, selected: name === current, title: classWords(name, days[name]),
  }, isShort ? name : classWords(name, days[name])));
  const choice = h("select", {
    disabled: !change, title: classWords(current, days[current]), "aria-label": say("retention.column.class"),
  }, options);
  if (change) choice.addEventListener("change", () => change(choice.value));
  return choice;
}

/** Who and when, under each other; nothing where nobody did. */
export function signed(name, at) {
  return at ? [name || "–", h("small", {}, minute(at))] : "–";
}
