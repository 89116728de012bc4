// The words of the page's language; the catalogue is read once.

export const language = document.documentElement.lang === "en" ? "en" : "zh";

const answer = await fetch(`/static/words/${language}.json`);
const catalogue = answer.ok ? await answer.json() : {};

/** The words for `key`, with `{name}` filled in; an unknown key shows itself. */
export function say(key, parameters = {}) {
  return (catalogue[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => parameters[name] ?? whole);
}

/** Whether the catalogue has words for `key`. */
export const knows = (key) => key in catalogue;

/** Every key that begins with `prefix`, sorted. */
export const keysOf = (prefix) => Object.keys(catalogue).filter((key) => key.startsWith(prefix)).sort();

/** Of a pair of fields like `site_zh` and `site_en`, the one of this language. */
export const inLanguage = (record, name) => record[`${name}_${language}`] || record[`${name}_zh`] || "";

/** How a part of the system is; of the room for recordings also for how long there is any. */
export function partState({ state, hours }) {
  const word = say(`part.state.${state}`);
  return hours === null || hours === undefined ? word : say("space.hours", { state: word, hours: hoursOf(hours) });
}

/** So many hours of room: what is told as 100 is more. */
export const hoursOf = (hours) => (hours >= 100 ? say("space.more", { hours: 100 }) : hours);

/** The name of a part of the system; one of several media nodes is named by its id. */
export function partName(name) {
  if (name.startsWith("media-")) return say("part.media.node", { node: name.slice("media-".length) });
  return knows(`part.${name}`) ? say(`part.${name}`) : name;
}
