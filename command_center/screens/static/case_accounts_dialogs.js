// What somebody is asked before something is done about the money of a case.

import { caseChoice } from "./case_choice.js";
import { h } from "./dom.js";
import { askFields } from "./field_dialog.js";
import { money } from "./money.js";
import { ask } from "./net.js";
import { person } from "./person.js";
import { askReason } from "./reason.js";
import { askSure } from "./sure.js";
import { day, now } from "./time.js";
import { say } from "./words.js";

const PATH = "/api/assets/accounts";
const GROUNDS = ["creditor-unreachable", "objection", "distribution-dispute", "others-claim", "settlement", "other"];
const today = () => day(now());

/** Which case a waiting arrival is for. */
export async function claimArrival(arrival) {
  const choice = await caseChoice(({ head, persons }) => `${head.number} ${persons.join(say("asset.list.separator"))}`);
  const asked = askFields({
    title: say("case-money.claim.title"),
    deed: say("case-money.claim"),
    about: [`${arrival.payer_name} ${arrival.payer_account} · ${money(arrival.cents)}`, arrival.remark],
    fields: [
      { kind: "note", element: choice.narrowing },
      { name: "case_id", kind: "select", label: say("case-money.claim.case"), required: true, options: choice.options },
      { name: "purpose", kind: "select", label: say("case-money.claim.purpose"), value: arrival.purpose, options: ["enforcement", "court_fee"].map((one) => [one, say(`case-money.purpose.${one}`)]) },
    ],
    send: (values, key) => ask("POST", `${PATH}/arrivals/${arrival.id}/claim`, { ...values, idempotency_key: key }),
  });
  choice.narrow(document.querySelector("dialog.field-dialog form").elements.case_id);
  return asked;
}

/** The main account of the reader's own court. */
export function openMain() {
  const text = (name, key) => ({ name, label: say(`case-money.main.${key}`), required: true, maxlength: 100 });
  return askFields({
    title: say("case-money.main.open"),
    deed: say("case-money.main.open"),
    fields: [text("number", "number"), text("bank_name", "bank"), text("fee_holder", "fee-holder"), text("fee_number", "fee-number")],
    send: (values, key) => ask("POST", `${PATH}/mains`, { ...values, court_id: person().court_id, idempotency_key: key }),
  });
}

export function namePayee(view) {
  const { line, persons } = view.account;
  const text = (name, key, required = true) => ({ name, label: say(`case-money.payee.${key}`), required, maxlength: 64 });
  return askFields({
    title: say("case-money.payee.title"),
    deed: say("case-money.payee"),
    fields: [
      { name: "person_id", kind: "select", label: say("case-money.payee.person"), required: true, options: persons.map((one) => [one.id, `${one.name} ${one.payee_account || say("case-money.payee.none")}`]) },
      text("account_number", "number"), text("bank_name", "bank"), text("bank_code", "code", false),
    ],
    send: (values, key) => ask("POST", `${PATH}/cases/${line.case_id}/payees`, { ...values, idempotency_key: key }),
  });
}

export function proposeDeferral(view) {
  return askFields({
    title: say("case-money.defer.title"),
    deed: say("case-money.propose"),
    fields: [
      { name: "ground", kind: "select", label: say("case-money.defer.ground"), options: GROUNDS.map((one) => [one, say(`case-money.ground.${one}`)]) },
      { name: "note", kind: "textarea", label: say("case-money.defer.note"), maxlength: 200 },
    ],
    send: (values, key) => ask("POST", `${PATH}/cases/${view.account.line.case_id}/deferrals`, { ...values, idempotency_key: key }),
  });
}

export function endDeferral(proposal) {
  return askFields({
    title: say("case-money.defer.end"),
    deed: say("case-money.defer.end"),
    fields: [{ name: "ended_on", kind: "date", label: say("case-money.defer.end.on"), required: true, value: today(), min: day(Date.parse(proposal.decided_at)), max: today() }],
    send: (values, key) => ask("POST", `${PATH}/proposals/${proposal.id}/end`, { ...values, idempotency_key: key }),
  });
}

export function refundFee(arrival) {
  return askFields({
    title: say("case-money.refund"),
    deed: say("case-money.propose"),
    about: [`${arrival.payer_name} ${arrival.payer_account} · ${money(arrival.cents)}`],
    fields: [{ name: "effective_on", kind: "date", label: say("case-money.refund.on"), required: true, value: today(), max: today(), hint: say("case-money.due.fee.rule") }],
    send: (values, key) => ask("POST", `${PATH}/arrivals/${arrival.id}/fee-refund`, { ...values, idempotency_key: key }),
  });
}

/** What the bank's papers say of a payment that its answers don't settle. */
export function settle(payment) {
  return askFields({
    title: say("case-money.settle.title"),
    deed: say("case-money.propose"),
    about: [`${payment.payee_name} ${payment.payee_account} · ${money(payment.cents)}`, payment.number],
    fields: [
      { name: "outcome", kind: "select", label: say("case-money.outcome"), options: ["paid", "not-executed"].map((one) => [one, say(`case-money.outcome.${one}`)]) },
      { name: "bank_serial", label: say("case-money.settle.serial"), maxlength: 64 },
      { name: "paid_on", kind: "date", label: say("case-money.settle.paid-on"), value: today(), max: today() },
      { name: "note", kind: "textarea", label: say("case-money.settle.note"), required: true, maxlength: 200 },
    ],
    send: ({ outcome, bank_serial: serial, paid_on: day, note }, key) => ask("POST", `${PATH}/payments/${payment.id}/settlement`, {
      outcome, note, ...(outcome === "paid" ? { bank_serial: serial, paid_on: day || null } : {}), idempotency_key: key,
    }),
  });
}

/** Approve, after saying what that does. */
export async function approve(proposal) {
  const key = crypto.randomUUID();
  const about = [say(`case-money.kind.${proposal.kind}`), proposal.cents > 0 && h("b", {}, money(proposal.cents)), !["deferral", "settlement"].includes(proposal.kind) && say("case-money.approve.sure")];
  if (!await askSure(say("case-money.approve"), say("case-money.approve"), about.filter(Boolean))) return null;
  return ask("POST", `${PATH}/proposals/${proposal.id}/approve`, { idempotency_key: key });
}

/** A step that needs its reason: reject, withdraw, release, unmatch, return, close. */
export async function withReason(name, path) {
  const key = crypto.randomUUID();
  const reason = await askReason(say(`case-money.${name}`), say(`case-money.${name}`));
  if (reason === null) return null;
  return ask("POST", `${PATH}/${path}/${name}`, { reason, idempotency_key: key });
}
