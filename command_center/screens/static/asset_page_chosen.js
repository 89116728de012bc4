// The chosen asset at the right: how far it is under control, its term, what others have on it, what may be done now.

import { h, stateMark } from "./dom.js";
import { actionName, AWAITED, coded, daysLeft, encumbrance, gatewayName, instant, money, orderWord, saidWords, standingMark, termMark, UNSETTLED } from "./asset_words.js";
import { askKeeping, askLifting, askMarks, askRegistration, askResolution } from "./asset_page_findings.js";
import { knows, say } from "./words.js";

/** What may stand out as the thing to do: it takes nothing away and gives nothing back. */
const SAFE = new Set(["freeze", "seize", "renew"]);

/** Everything about one asset but its time line. */
export function chosenAsset({ row, bare, who, summary, controls, mayControl, order, find, askAgain, objected, answer }) {
  const { asset } = row;
  return [
    h("div.asset-chosen-title", {},
      h("h2", {}, say(`asset.kind.${asset.kind}`), h("span", {}, bare?.reference ?? asset.reference)),
      h("p", {}, bare?.description ?? asset.description)),
    h("p.asset-chosen-state", { id: "asset-state", role: "status" }, stateMark(...standingMark(row, summary.today))),
    unknownOutcome(row, askAgain),
    objected && objection(asset, objected, mayControl, answer),
    controls && contradiction(controls, mayControl, find),
    whyNot(asset, controls?.measure),
    facts(row, who, summary, controls?.measure),
    others(asset, bare),
    bare && particulars(bare),
    h("section", { "aria-labelledby": "asset-actions-title" },
      h("h3", { id: "asset-actions-title" }, say("asset.actions")),
      actionList(controls, asset.kind, mayControl, order)),
    controls && marks(controls, row, mayControl, find),
  ];
}

/** The institution's reason; where an order to take found nothing it gives none, and what was taken before still is. */
function whyNot(asset, measure) {
  const isEmptyHanded = asset.standing === "not_controlled" && ["freeze_and_transfer", "withdraw_income"].includes(measure?.action) && measure.confirmed_at;
  const words = asset.reason || (isEmptyHanded ? say("asset.reason.nothing-taken") : "");
  return words ? h("p.asset-reason", {}, words) : null;
}

/** An order without an answer may have been carried out: it is neither done nor failed. */
function unknownOutcome(row, askAgain) {
  if (row.asset.standing !== "unknown") return null;
  return h("div.asset-unknown", { role: "alert" },
    h("p", {}, say("asset.unknown.why", { gateway: gatewayName(row.asset.gateway), number: row.request_number })),
    row.request_state === "no_answer" && h("button", { type: "button", id: "asset-ask-again", onclick: askAgain }, say("asset.unknown.ask")));
}

/** What the other side has against the order, and by when the court answers: insisting, or taking it back. */
function objection(asset, order, mayControl, answer) {
  return h("div.asset-unknown.asset-objected", { role: "alert" },
    h("p", {}, asset.answer_by ? say("asset.objection.due", { day: asset.answer_by }) : orderWord(order.state)),
    order.reason && h("p", {}, order.reason),
    mayControl && h("div.asset-order-deeds", {}, ["maintain", "yield"].map((how) => h("button", { type: "button", dataset: { deed: `answer-${how}` }, onclick: () => answer(order, how) }, say(`asset.order.deed.${how}`)))));
}

function facts(row, who, summary, measure) {
  const { asset } = row;
  const told = [["person", who]];
  if (asset.value_cents !== null) told.push(["value", money(asset.value_cents)]);
  if (asset.available_cents !== null && asset.available_cents !== asset.value_cents) told.push(["available", money(asset.available_cents)]);
  if (asset.asked_cents !== null) told.push(["asked", money(asset.asked_cents)]);
  if (row.measure_id && asset.asked_cents !== null) told.push(["controlled", controlled(asset)]);
  if (asset.over_cents > 0) told.push(["over", money(asset.over_cents)]);
  if (asset.standing === "waiting") told.push(["rank", say("asset.rank.words", { rank: asset.rank, before: asset.rank })]);
  if (asset.answer_by) told.push(["answer-by", say("asset.fact.answer-by.words", { day: asset.answer_by })]);
  told.push(...term(asset, summary.today, measure));
  if (measure?.released_cents) told.push(["released", money(measure.released_cents)]);
  if (measure?.transferred_cents) told.push(["transferred", money(measure.transferred_cents)]);
  if (measure?.keeping) told.push(["keeping", [coded("asset.keeping", measure.keeping), measure.keeper].filter(Boolean).join(" · ")]);
  if (measure?.follows_id) told.push(["follows", say("asset.fact.follows.why")]);
  if (asset.receipt_number) told.push(["receipt", asset.receipt_number]);
  if (row.request_number) told.push(["request", `${row.request_number} · ${orderWord(row.request_state)}`]);
  told.push(["gateway", gatewayName(asset.gateway)]);
  told.push(["answered", asset.heard_at ? instant(asset.heard_at) : say("asset.fact.never-answered")]);
  if (asset.answered_at && asset.answered_at !== asset.heard_at) told.push(["described", instant(asset.answered_at)]);
  return h("dl.asset-facts", {}, told.map(([name, value]) => [h("dt", {}, say(`asset.fact.${name}`)), h("dd", { dataset: { fact: name } }, value)]));
}

function controlled({ standing, controlled_cents: held }) {
  if (AWAITED.has(standing)) return say("asset.fact.not-known");
  return UNSETTLED.has(standing) ? say("asset.fact.nothing-yet") : money(held);
}

function term(asset, today, measure) {
  if (asset.standing === "waiting") return [["term", say("asset.term.waiting")]];
  if (!asset.ends_on) return [];
  const days = daysLeft(asset.ends_on, today);
  const isOver = ["released", "transferred"].includes(asset.standing);
  const left = isOver ? null : stateMark(termMark(days) ?? "normal", say(days < 0 ? "asset.term.over" : "asset.term.left", { days: Math.abs(days) }));
  return [["term", [h("span", {}, say("asset.term.span", { start: asset.starts_on ?? "—", end: asset.ends_on })), left, h("small", {}, coded("asset.term-rule", measure?.term_rule || "first"))]]];
}

function others(asset, bare) {
  const all = bare?.encumbrances ?? asset.encumbrances;
  return h("section", { "aria-labelledby": "asset-others-title" },
    h("h3", { id: "asset-others-title" }, say("asset.others")),
    all.length ? h("ul.asset-others-list", {}, all.map((one) => h("li", {}, encumbrance(one)))) : h("p.asset-none", {}, say(asset.answered_at ? "asset.others.none" : "asset.others.unknown")));
}

/** What else the institution said of it, once it is unmasked: each kind of gateway brings the words for its fields. */
function particulars(bare) {
  const told = Object.entries(bare.details).filter(([name, value]) => value.length > 0 && knows(`asset.detail.${name}`));
  if (told.length === 0) return null;
  return h("section", { "aria-labelledby": "asset-particulars-title" },
    h("h3", { id: "asset-particulars-title" }, say("asset.particulars")),
    h("dl.asset-facts", {}, told.map(([name, value]) => [h("dt", {}, say(`asset.detail.${name}`)), h("dd", { dataset: { detail: name } }, [value].flat().map((line) => h("div", {}, line)))])));
}

/** The other side says otherwise than our records: a person has to look into it. */
function contradiction(controls, mayControl, find) {
  const { measure } = controls;
  if (!measure?.contradiction) return null;
  return h("div.asset-unknown", { role: "alert" },
    h("p", {}, say("asset.contradiction.told", { what: coded("asset.contradiction", measure.contradiction) })),
    mayControl && h("button", { type: "button", dataset: { deed: "resolve" }, onclick: () => find(askResolution) }, say("asset.contradiction.resolve")));
}

/** What the asset is and is worth, as somebody found out. */
function marks(controls, row, mayControl, find) {
  const { measure } = controls;
  const told = [
    controls.said && ["said", saidOf(controls.said)],
    controls.special && ["special", coded("asset.special", controls.special)],
    controls.exempt && ["exempt", coded("asset.exempt", controls.exempt)],
    controls.is_only_home && ["home", say("asset.mark.home.yes")],
    controls.valuation_cents !== null && ["valuation", [money(controls.valuation_cents), controls.valuation_source].filter(Boolean).join(" · ")],
    controls.prior_cents > 0 && ["prior", money(controls.prior_cents)],
  ].filter(Boolean);
  const deeds = [
    ["marks", askMarks],
    controls.said?.lifting === "" && ["lift", askLifting],
    measure?.state === "pre_registered" && ["registered", askRegistration],
    measure?.action === "impound" && ["in_force", "waiting"].includes(measure.state) && ["keeping", askKeeping],
  ].filter(Boolean);
  return h("section", { "aria-labelledby": "asset-marks-title" },
    h("h3", { id: "asset-marks-title" }, say("asset.marks")),
    told.length ? h("dl.asset-facts", {}, told.map(([name, value]) => [h("dt", {}, say(`asset.mark.${name}`)), h("dd", {}, value)])) : h("p.asset-none", {}, say("asset.marks.none")),
    mayControl && h("div.asset-order-deeds", {}, deeds.map(([name, deed]) => h("button", { type: "button", dataset: { deed: name }, onclick: () => find(deed) }, say(`asset.mark.deed.${name}`)))));
}

/** What the institution said of an account, when, and whether two people have set it aside. */
function saidOf(said) {
  if (!said.lifting) return saidWords(said);
  const { lifting, is_barring: isBarring } = said;
  return [saidWords(said), h("div", {}, say(`asset.mark.said.${lifting === "asked" && isBarring ? "asked.barring" : lifting}`))];
}

function actionList(controls, kind, mayControl, order) {
  if (!controls) return h("p.asset-none", {}, say("asset.actions.reading"));
  const barred = controls.allowed.find((one) => one.why === "not-own-court");
  if (barred) return h("p.asset-none", {}, coded("error", barred.why, barred.parameters));
  if (!mayControl) return h("p.asset-none", {}, say("asset.actions.not-yours"));
  const allowed = controls.allowed.filter((one) => !one.why);
  const refused = new Map();
  for (const one of controls.allowed.filter((each) => each.why)) {
    const why = coded("error", one.why, one.parameters);
    refused.set(why, [...(refused.get(why) ?? []), one]);
  }
  return [
    allowed.length > 0 && h("div.asset-deeds", {}, allowed.map((one, place) => h(`button${place === 0 && SAFE.has(one.action) ? ".primary" : ""}`, { type: "button", dataset: { action: one.action }, title: one.needs_approval ? say("asset.order.approval") : null, onclick: () => order(one) }, say("asset.order.open", { action: actionName(one.action, kind) })))),
    allowed.length === 0 && h("p.asset-none", {}, say("asset.actions.none-now")),
    refused.size > 0 && h("dl.asset-refused", {}, [...refused].map(([why, each]) => [h("dt", {}, each.map((one) => actionName(one.action, kind)).join(say("asset.list.separator"))), h("dd", {}, why)])),
  ];
}
