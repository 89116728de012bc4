// How deadlines and states of case money are told, and the parts that its pages are made of.

import { h, stateMark } from "./dom.js";
import { money } from "./money.js";
import { say } from "./words.js";

const CLOCKS = { none: "off", running: "normal", overdue: "critical", deferred: "standby" };
const SOON_DAYS = 7;

/** A deadline as a mark: how many days are left. */
export function deadlineMark({ state, days_left: days }) {
  if (state !== "running") return stateMark(CLOCKS[state], say(`case-money.due.${state}`, { days: Math.abs(days ?? 0) }));
  if (days === 0) return stateMark("serious", say("case-money.due.today"));
  return stateMark(days <= SOON_DAYS ? "caution" : "normal", say("case-money.due.running", { days }));
}

const PROPOSALS = { proposed: "caution", approved: "normal", rejected: "off", withdrawn: "off", ended: "off" };
export const proposalMark = (state) => stateMark(PROPOSALS[state], say(`case-money.state.${state}`));

// Unknown is not failed and not paid: it has a shape and a colour of its own.
const PAYMENTS = { ordered: "standby", sent: "standby", unknown: "serious", paid: "normal", refused: "critical" };

/** How a payment stands. */
export function paymentMark({ state, trouble }) {
  const told = trouble === "paid-after-refusal" ? trouble : state;
  return stateMark(PAYMENTS[state], say(`case-money.payment.state.${told}`));
}

/** A table with these heads, each `[words, class]`, and rows of cells. */
export function table(heads, rows, kind = "") {
  return h(`table${kind}`, {},
    h("thead", {}, h("tr", {}, heads.map(([words, name]) => h("th", { scope: "col", class: name }, words)))),
    h("tbody", {}, rows));
}

/** A cell with an amount. */
export const amountCell = (cents, kind = "") => h(`td.money-amount${kind}`, {}, money(cents));

/** A titled part of a page; `deeds` stand at the right of its title. */
export function part(name, content, ...deeds) {
  return h("section.money-part", { dataset: { part: name } },
    h("div.money-part-head", {}, h("h3", {}, say(`case-money.${name}`)), h("div.money-deeds", {}, deeds)), content);
}

export const none = (key) => h("p.money-none", {}, say(`case-money.${key}.none`));

/** A button that does something. */
export const deed = (name, onclick, kind = "") => h(`button${kind}`, { type: "button", dataset: { deed: name }, onclick }, say(`case-money.${name}`));
