// How assets, controls and proposals are told on the phone.

import { clockWords } from "./live.js";
import { say } from "./words.js";

const money = new Intl.NumberFormat("zh-CN", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** An amount with separators and two digits. */
export const amountWords = (cents) => say("money", { amount: money.format(cents / 100) });

/** What a thing is, and its number. */
export const thingWords = ({ kind, reference }) => [say(`kind.${kind}`), reference].filter(Boolean).join(" ");

/** How far an asset is under control; what waits controls nothing. */
export function standingWords({ standing, rank, controlled_cents: cents, ends_on: end, answer_by: due }) {
  const words = [say(`standing.${standing}`, { rank })];
  if (due) words.push(say("answer-by", { day: due }));
  if (cents > 0) words.push(amountWords(cents));
  if (end && ["controlled", "partly", "empty", "pre_registered"].includes(standing)) words.push(say("until", { day: end }));
  return words.join(" · ");
}

/** An instant as the court reads it. */
export const timeWords = (text) => (text ? clockWords(Date.parse(text)).slice(0, -3) : "");

/** Why the centre wouldn't have it. */
export function refusalWords(code, knows) {
  const key = `refused.${code}`;
  return knows(key) ? say(key) : say("refused.other", { code });
}
