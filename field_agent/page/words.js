// The page's words, in the reader's language; elements that carry `data-word` are filled by it.

const LANGUAGES = ["zh", "en"];
const KEPT = "field-language";

let catalogue = {};
let current = "zh";
const listeners = new Set();

/** The language in use: "zh" or "en". */
export function language() {
  return current;
}

/** The one that a press of the language button leads to. */
export function otherLanguage() {
  return current === "zh" ? "en" : "zh";
}

/** What was chosen on this phone before, or nothing. */
export function chosenLanguage() {
  const kept = localStorage.getItem(KEPT);
  return LANGUAGES.includes(kept) ? kept : null;
}

/** Load a catalogue, fill the page, tell the listeners. */
export async function useLanguage(wanted, { keep = false } = {}) {
  const next = LANGUAGES.includes(wanted) ? wanted : "zh";
  const answer = await fetch(`/field/words/${next}.json`);
  catalogue = await answer.json();
  current = next;
  if (keep) localStorage.setItem(KEPT, next);
  document.documentElement.lang = next === "zh" ? "zh-CN" : "en";
  document.title = say("title");
  fill(document);
  for (const listener of listeners) listener(next);
}

/** Call `listener` after each change of language. */
export function onLanguage(listener) {
  listeners.add(listener);
}

/** Whether there is such a word. */
export function knows(key) {
  return key in catalogue;
}

/** The words for `key`, with {names} replaced. */
export function say(key, parameters = {}) {
  const text = catalogue[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(parameters[name] ?? whole));
}

/** Fill every element below `root` that names its word. */
export function fill(root) {
  for (const element of root.querySelectorAll("[data-word]")) {
    element.textContent = say(element.dataset.word);
  }
}

/** `zh` or `en` of a record that holds both. */
export function named(record, field) {
  return record[`${field}_${current}`] || record[`${field}_zh`] || "";
}
