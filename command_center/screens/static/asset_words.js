// Assets in words: states with their shapes, amounts, days and times, who is asked.

import { money as plain } from "./money.js";
import { clock, day, now } from "./time.js";
import { knows, say } from "./words.js";

/** The state's shape and colour; what waits never looks like what is controlled. */
const STANDING_MARKS = {
  controlled: "normal", partly: "caution", empty: "caution", waiting: "standby", intended: "off", unknown: "caution",
  unconfirmed: "caution", not_controlled: "serious", pre_registered: "normal", lapsed: "critical", transferred: "off", released: "off", void: "off",
  clue: "plain", none: "plain",
};
/** Of a request; what isn't here is under way. */
const REQUEST_MARKS = {
  answered: "normal", checked: "normal", nothing_found: "standby", no_answer: "caution", failed: "serious",
  returned: "serious", objected: "serious", declined: "serious", withdrawn: "off",
};
export const ENDED = new Set(["answered", "checked", "nothing_found", "failed", "returned", "objected", "declined", "withdrawn"]);

export const requestMark = (state) => (state === "never" ? "plain" : REQUEST_MARKS[state] ?? "off");

/** Where a query stands, in a word. */
export const requestWord = (state, found = 0) => say(`asset.request.${state}`, { count: found });

/** Where an order stands, in a word: without an answer in time nobody knows what came of it. */
export const orderWord = (state) => coded("asset.order.state", state);

/** What came of these orders nobody knows yet: a figure would claim what isn't known. */
export const UNSETTLED = new Set(["intended", "unknown", "unconfirmed"]);

/** How far an asset is under control, in a word. */
function standingWord(asset, { isShort = false } = {}) {
  if (asset.standing === "waiting" && isShort) return say("asset.state.waiting.short", { rank: asset.rank });
  if (asset.standing === "waiting" && asset.rank > 0) return say("asset.state.waiting.rank", { rank: asset.rank });
  return say(`asset.state.${asset.standing}`);
}

/** The state's shape and word as a row of assets tells it: an order that is objected to isn't one without an answer. */
export function standingMark(row, { isShort = false } = {}) {
  const { asset } = row;
  if (asset.standing === "intended" && row.request_state === "objected") return ["serious", say("asset.request.objected")];
  return [STANDING_MARKS[asset.standing] ?? "off", standingWord(asset, { isShort })];
}

/** Cents as yuan with separators and two places; a dash where there is none. */
export const figure = (cents) => (cents === null || cents === undefined ? "—" : plain(cents));

/** An amount with its currency. */
export const money = (cents) => (cents === null || cents === undefined ? "—" : say("asset.money", { amount: figure(cents) }));

/** A time in China: of today without its day. */
export function instant(text) {
  if (!text) return "—";
  const at = Date.parse(text);
  return day(at) === day(now()) ? clock(at) : `${day(at)} ${clock(at)}`;
}

/** The same where there is little room: hour and minute of today, else month and day too. */
export function shortInstant(text) {
  if (!text) return "—";
  const at = Date.parse(text);
  const time = clock(at).slice(0, 5);
  return day(at) === day(now()) ? time : `${day(at).slice(5)} ${time}`;
}

/** How many days are left of a term, today counted by the server. */
export function daysLeft(endsOn, today) {
  return Math.round((Date.parse(`${endsOn}T00:00:00Z`) - Date.parse(`${today}T00:00:00Z`)) / 86_400_000);
}

/** The shape for a term that ends so soon. */
export function termMark(days) {
  if (days <= 7) return "critical";
  if (days <= 30) return "serious";
  return days <= 60 ? "caution" : null;
}

/** What a bank or a registry is called. */
export function gatewayName(name) {
  if (!name) return say("asset.gateway.nobody");
  return knows(`asset.gateway.${name}`) ? say(`asset.gateway.${name}`) : name;
}

/** What somebody else has on an asset. */
export function encumbrance(one) {
  const amount = one.amount_cents === null ? "" : money(one.amount_cents);
  const until = one.until ? say("asset.encumbrance.until", { day: one.until }) : "";
  const rank = one.rank ? say("asset.encumbrance.rank", { rank: one.rank }) : "";
  return [say(`asset.encumbrance.${one.kind}`, { holder: one.holder, amount }).trim(), until, rank].filter(Boolean).join(" · ");
}

/** What an order is called on this kind of asset. */
export function actionName(action, kind) {
  return knows(`asset.action.${action}.${kind}`) ? say(`asset.action.${action}.${kind}`) : coded("asset.action", action);
}

/** The words of a code in one of our families, or the code itself. */
export function coded(family, code, parameters = {}) {
  return knows(`${family}.${code}`) ? say(`${family}.${code}`, parameters) : code;
}
