// The chosen asset at the right: how far it is under control, its term, what others have on it, what may be done now.

import { h, stateMark } from "./dom.js";
import { coded, daysLeft, encumbrance, gatewayName, instant, money, orderWord, STANDING_MARKS, standingWord, termMark } from "./asset_words.js";
import { say } from "./words.js";

/** Everything about one asset but its time line. */
export function chosenAsset({ row, bare, summary, actions, mayControl, order, askAgain }) {
  const { asset } = row;
  return [
    h("div.asset-chosen-title", {},
      h("h2", {}, say(`asset.kind.${asset.kind}`), h("span", {}, bare?.reference ?? asset.reference)),
      h("p", {}, bare?.description ?? asset.description)),
    h("p.asset-chosen-state", { id: "asset-state", role: "status" }, stateMark(STANDING_MARKS[asset.standing] ?? "off", standingWord(asset))),
    unknownOutcome(row, askAgain),
    asset.reason && h("p.asset-reason", {}, asset.reason),
    facts(row, bare, summary),
    others(asset, bare),
    h("section", { "aria-labelledby": "asset-actions-title" },
      h("h3", { id: "asset-actions-title" }, say("asset.actions")),
      actionList(actions, mayControl, order)),
  ];
}

/** An order without an answer may have been carried out: it is neither done nor failed. */
function unknownOutcome(row, askAgain) {
  if (row.asset.standing !== "unknown") return null;
  return h("div.asset-unknown", { role: "alert" },
    h("p", {}, say("asset.unknown.why", { gateway: gatewayName(row.asset.gateway), number: row.request_number })),
    h("button", { type: "button", id: "asset-ask-again", onclick: askAgain }, say("asset.unknown.ask")));
}

function facts(row, bare, summary) {
  const { asset } = row;
  const told = [["person", bare?.person ?? row.person]];
  if (asset.value_cents !== null) told.push(["value", money(asset.value_cents)]);
  if (asset.available_cents !== null && asset.available_cents !== asset.value_cents) told.push(["available", money(asset.available_cents)]);
  if (asset.asked_cents !== null) told.push(["asked", money(asset.asked_cents)]);
  if (row.measure_id && asset.asked_cents !== null) told.push(["controlled", money(asset.controlled_cents)]);
  if (asset.over_cents > 0) told.push(["over", money(asset.over_cents)]);
  if (asset.standing === "waiting") told.push(["rank", say("asset.rank.words", { rank: asset.rank, before: asset.rank })]);
  told.push(...term(asset, summary.today));
  if (asset.receipt_number) told.push(["receipt", asset.receipt_number]);
  if (row.request_number) told.push(["request", `${row.request_number} · ${orderWord(row.request_state)}`]);
  told.push(["gateway", gatewayName(asset.gateway)]);
  told.push(["answered", asset.answered_at ? instant(asset.answered_at) : say("asset.fact.never-answered")]);
  return h("dl.asset-facts", {}, told.map(([name, value]) => [h("dt", {}, say(`asset.fact.${name}`)), h("dd", { dataset: { fact: name } }, value)]));
}

function term(asset, today) {
  if (asset.standing === "waiting") return [["term", say("asset.term.waiting")]];
  if (!asset.ends_on) return [];
  const days = daysLeft(asset.ends_on, today);
  const isOver = ["released", "transferred"].includes(asset.standing);
  const left = isOver ? null : stateMark(termMark(days) ?? "normal", say(days < 0 ? "asset.term.over" : "asset.term.left", { days: Math.abs(days) }));
  return [["term", [h("span", {}, say("asset.term.span", { start: asset.starts_on ?? "—", end: asset.ends_on })), left, h("small", {}, say("asset.term.rule"))]]];
}

function others(asset, bare) {
  const all = bare?.encumbrances ?? asset.encumbrances;
  return h("section", { "aria-labelledby": "asset-others-title" },
    h("h3", { id: "asset-others-title" }, say("asset.others")),
    all.length ? h("ul.asset-others-list", {}, all.map((one) => h("li", {}, encumbrance(one)))) : h("p.asset-none", {}, say(asset.answered_at ? "asset.others.none" : "asset.others.unknown")));
}

function actionList(actions, mayControl, order) {
  if (actions === null) return h("p.asset-none", {}, say("asset.actions.reading"));
  if (!mayControl) return h("p.asset-none", {}, say("asset.actions.not-yours"));
  if (actions.length === 0) return h("p.asset-none", {}, say("asset.actions.nobody"));
  const allowed = actions.filter((one) => !one.code);
  const refused = actions.filter((one) => one.code);
  return [
    h("div.asset-deeds", {}, allowed.map((one, place) => h(`button${place === 0 ? ".primary" : ""}`, { type: "button", dataset: { action: one.action }, onclick: () => order(one.action) }, say("asset.order.open", { action: coded("asset.action", one.action) })))),
    allowed.length === 0 && h("p.asset-none", {}, say("asset.actions.none-now")),
    refused.length > 0 && h("dl.asset-refused", {}, refused.map((one) => [h("dt", {}, coded("asset.action", one.action)), h("dd", {}, coded("error", one.code, one.parameters))])),
  ];
}
