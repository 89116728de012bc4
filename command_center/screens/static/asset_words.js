// Assets in words: states with their shapes, amounts, days and times, who is asked.

import { money as plain } from "./money.js";
import { clock, day, now } from "./time.js";
import { knows, say } from "./words.js";

/** How each state of an asset and of a request looks, here as on phones and in workbooks. */
export const looks = await (await fetch("/static/asset_looks.json")).json();
export const ENDED = new Set(["answered", "checked", "nothing_found", "failed", "returned", "objected", "declined", "withdrawn"]);

export const requestMark = (state) => looks.requests[state];

/** Where a query stands, in a word. */
export const requestWord = (state, found = 0) => say(`asset.request.${state}`, { count: found });

/** Where an order stands, in a word: without an answer in time nobody knows what came of it. */
export const orderWord = (state) => coded("asset.order.state", state);

/** What came of these orders nobody knows yet, or nothing did: a figure would claim what isn't known. */
export const UNSETTLED = new Set(["drafted", "intended", "objected", "unsent", "unknown", "unconfirmed"]);
/** Of these somebody is asked meanwhile. */
export const AWAITED = new Set(["intended", "unknown", "unconfirmed"]);

/** How far an asset is under control, in a word; of an objection how long the court has to answer it. */
function standingWord(asset, today) {
  if (asset.standing === "waiting" && asset.rank > 0) return say("asset.state.waiting.rank", { rank: asset.rank });
  if (asset.standing !== "objected" || asset.answer_by === null) return say(`asset.state.${asset.standing}`);
  const days = daysLeft(asset.answer_by, today);
  return say(days >= 0 ? "asset.state.objected.clock" : "asset.state.objected.late", { days: Math.abs(days) });
}

/** The state's shape and word as a row of assets tells it. */
export const standingMark = ({ asset }, today) => [looks.standings[asset.standing], standingWord(asset, today)];

/** Cents as yuan with separators and two places; a dash where there is none. */
export const figure = (cents) => (cents === null || cents === undefined ? "—" : plain(cents));

/** The claim of a case, where somebody has entered one. */
export const claimFigure = (cents) => (cents ? figure(cents) : say("asset.claim.none"));
export const claimMoney = (cents) => (cents ? money(cents) : say("asset.claim.none"));

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

/** What an institution said of an account: which kind it is, who said so and when. */
export const saidWords = ({ special, gateway, at }) => say("asset.mark.said.words", {
  special: coded("asset.special", special), gateway: gatewayName(gateway), at: at ? instant(at) : say("asset.mark.said.before"),
});
