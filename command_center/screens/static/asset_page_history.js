// The time line of one asset: what happened, when, and by whom, newest first.

import { h, stateMark } from "./dom.js";
import { coded, instant, looks, money, orderWord, requestMark, requestWord } from "./asset_words.js";
import { say } from "./words.js";

const MARKS = { alarm: "serious", objection: "serious", proposal: "standby", paper: "plain" };
/** What happened to a measure, where that isn't called as the asset stands then. */
const MEASURE_MARKS = { waits: "standby", moved_down: "standby", demoted: "standby", part_released: "off", part_transferred: "off", contradicted: "serious" };

/** Steps of a request that we ourselves take, with nobody pressing a button. */
const OWN_STEPS = new Set(["sent", "chased"]);

export function timeLine(history) {
  if (history.entries.length === 0) return h("p.asset-none", {}, say("asset.history.none"));
  return [
    h("ol.asset-history", {}, history.entries.map(entryItem)),
    history.left_off > 0 && h("p.asset-none", {}, say("asset.history.left-off", { count: history.left_off })),
  ];
}

function entryItem(entry) {
  const by = entry.by || say(`asset.history.by.${OWN_STEPS.has(entry.what) ? "paper" : entry.kind}`);
  const told = [entry.words, ...facts(entry.details)].filter(Boolean);
  return h("li", { dataset: { kind: entry.kind, what: entry.what } },
    h("time", { datetime: entry.at }, instant(entry.at)),
    h("div", {},
      stateMark(markOf(entry), titleOf(entry)),
      h("small", {}, [by, entry.number].filter(Boolean).join(" · ")),
      told.map((words) => h("small.asset-history-words", {}, words))));
}

function markOf({ kind, what }) {
  if (kind === "request") return requestMark(what === "disapproved" ? "declined" : what) ?? "off";
  if (kind === "measure") return looks.standings[what] ?? MEASURE_MARKS[what] ?? "normal";
  return what === "acknowledged" ? "off" : MARKS[kind] ?? "off";
}

function titleOf({ kind, what, action, details, number }) {
  const doing = action ? coded("asset.action", action) : "";
  if (kind === "request") {
    const isStep = ["ordered", "approved", "disapproved", "sent", "chased", "accepted", "checked"].includes(what);
    return say("asset.history.request", { action: doing, step: isStep ? say(`asset.history.step.${what}`) : action === "query" ? requestWord(what, details.found ?? 0) : orderWord(what), number });
  }
  if (kind === "measure") return say("asset.history.measure", { action: doing, step: coded("asset.measure", what) });
  if (kind === "paper") return say(`asset.history.paper.${what}`, { name: coded("asset.document", details.document) });
  if (kind === "alarm") return say(`asset.history.alarm.${what}`, { days: details.days, day: details.ends_on });
  return say(`asset.history.${kind}.${what}`, { action: doing });
}

function facts(details) {
  const told = [];
  if (details.amount_cents) told.push(say("asset.history.amount", { amount: money(details.amount_cents) }));
  if (details.controlled_cents) told.push(say("asset.history.controlled", { amount: money(details.controlled_cents) }));
  if (details.ruling) told.push(say("asset.history.ruling", { number: details.ruling }));
  if (details.ends_on && !details.days) told.push(say("asset.history.until", { day: details.ends_on }));
  if (details.rank) told.push(say("asset.history.rank", { rank: details.rank }));
  if (details.reason) told.push(details.reason);
  return told;
}
