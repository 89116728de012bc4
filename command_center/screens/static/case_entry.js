// The dialogs in which a case, its persons and its claims are entered.

import { h } from "./dom.js";
import { askFields } from "./field_dialog.js";
import { cents, money } from "./money.js";
import { Problem, ask } from "./net.js";
import { day, now } from "./time.js";
import { say } from "./words.js";

const ROLES = ["under_enforcement", "applicant", "outsider"];
const KINDS = ["ordinary", "priority", "costs"];
const reason = () => ({ name: "reason", label: say("reason.why"), kind: "textarea", required: true, maxlength: 200 });
const heading = (words) => ({ kind: "note", element: h("h3.is-whole.field-heading", {}, words) });

/** Register a case with its first debtor and, where it is named, its applicant. */
export function registerCase() {
  return askFields({
    title: say("case.register"),
    deed: say("case.register.send"),
    isWide: true,
    fields: [
      { name: "number", label: say("case.column.number"), kind: "text", required: true, maxlength: 64, hint: say("case.number.hint") },
      { name: "filed_on", label: say("case.fact.filed"), kind: "date", required: true, value: day(now()), max: day(now()) },
      { name: "judge_name", label: say("case.fact.judge"), kind: "text", required: true, maxlength: 100 },
      { name: "is_own", label: say("case.register.own"), kind: "check", value: true },
      { name: "work_card", label: say("case.fact.work-card"), kind: "text", required: true, maxlength: 64 },
      { name: "duty_card", label: say("case.fact.duty-card"), kind: "text", required: true, maxlength: 64 },
      heading(say("case.role.under_enforcement")), ...personFields("debtor", true),
      heading(say("case.register.applicant")), ...personFields("applicant", false),
    ],
    send: (values, key) => ask("POST", "/api/assets/cases", {
      number: values.number, filed_on: values.filed_on, judge_name: values.judge_name, work_card: values.work_card,
      duty_card: values.duty_card, is_own: values.is_own, idempotency_key: key,
      persons: [personOf(values, "debtor", "under_enforcement"), values["applicant-name"] && personOf(values, "applicant", "applicant")].filter(Boolean),
    }),
  });
}

export function addPerson(file) {
  return askFields({
    title: say("case.add-person"),
    deed: say("case.add"),
    about: [file.number],
    fields: [
      { name: "role", label: say("case.role"), kind: "select", options: roles() }, ...personFields("person", true),
    ],
    send: (values, key) => ask("POST", `/api/assets/cases/${file.id}/persons`, { person: personOf(values, "person", values.role), idempotency_key: key }),
  });
}

export function changeRole(file, person) {
  return askFields({
    title: say("case.change-role"),
    deed: say("case.change"),
    about: [`${person.name} ${person.id_number}`, say("case.about.role")],
    fields: [
      { name: "role", label: say("case.role"), kind: "select", options: roles(), value: person.role }, reason(),
    ],
    send: (values, key) => ask("PATCH", `/api/assets/persons/${person.id}`, { ...values, idempotency_key: key }),
  });
}

export function correctPerson(file, person) {
  return askFields({
    title: say("case.correct"),
    deed: say("case.change"),
    about: [`${person.name} ${person.id_number}`, say("case.about.correct")],
    fields: [
      { name: "name", label: say("case.name"), kind: "text", maxlength: 200, hint: say("case.correct.empty") },
      { name: "id_number", label: say(person.is_firm ? "case.code" : "case.id"), kind: "text", maxlength: 64, hint: say("case.correct.empty") },
      reason(),
    ],
    send: (values, key) => ask("PATCH", `/api/assets/persons/${person.id}`, { ...values, idempotency_key: key }),
  });
}

export function addClaim(file) {
  return askFields({
    title: say("case.add-claim"),
    deed: say("case.add"),
    about: [file.number],
    fields: claimFields(file),
    send: (values, key) => ask("POST", `/api/assets/cases/${file.id}/claims`, { ...claimOf(values), idempotency_key: key }),
  });
}

export function changeClaim(file, claim) {
  return askFields({
    title: say("case.change-claim"),
    deed: say("case.change"),
    about: [file.number, say("case.about.claim")],
    fields: [...claimFields(file, claim), reason()],
    send: (values, key) => ask("PATCH", `/api/assets/claims/${claim.id}`, { ...claimOf(values), reason: values.reason, idempotency_key: key }),
  });
}

const roles = () => ROLES.map((role) => [role, say(`case.role.${role}`)]);

function personFields(prefix, required) {
  return [
    { name: `${prefix}-name`, label: say("case.name"), kind: "text", required, maxlength: 200 },
    { name: `${prefix}-kind`, label: say("case.person-kind"), kind: "select", options: [["natural", say("case.natural")], ["firm", say("case.firm")]] },
    { name: `${prefix}-id`, label: say("case.id-or-code"), kind: "text", required, maxlength: 64, hint: say("case.id.hint") },
  ];
}

const personOf = (values, prefix, role) => ({
  name: values[`${prefix}-name`], is_firm: values[`${prefix}-kind`] === "firm", id_number: values[`${prefix}-id`], role,
});

function claimFields(file, claim = null) {
  const creditors = file.persons.filter((one) => one.role === "applicant" || one.id === claim?.creditor_id);
  return [
    { name: "creditor_id", label: say("case.claim.creditor"), kind: "select", value: claim?.creditor_id, options: creditors.map((one) => [one.id, one.name]) },
    { name: "kind", label: say("case.claim.kind"), kind: "select", value: claim?.kind, options: KINDS.map((kind) => [kind, say(`case.claim.kind.${kind}`)]) },
    { name: "amount", label: say("case.claim.amount"), kind: "text", required: true, maxlength: 24, value: claim && money(claim.amount_cents), placeholder: "1,860,000.00" },
    { name: "capitals", label: say("case.claim.capitals"), kind: "text", maxlength: 64, hint: say("case.claim.capitals.hint") },
    { name: "principal", label: say("case.claim.principal"), kind: "text", required: true, maxlength: 24, value: claim && money(claim.principal_cents), placeholder: "1,500,000.00" },
    { name: "interest_from", label: say("case.claim.interest"), kind: "date", value: claim?.interest_from },
    { name: "basis", label: say("case.claim.basis"), kind: "text", maxlength: 200, value: claim?.basis },
  ];
}

function claimOf(values) {
  return {
    creditor_id: values.creditor_id, kind: values.kind, basis: values.basis, capitals: values.capitals,
    amount_cents: centsOf(values.amount), principal_cents: centsOf(values.principal), interest_from: values.interest_from || null,
  };
}

function centsOf(text) {
  const read = cents(text);
  if (read === null) throw new Problem(422, { code: "bad-format", item: "amount", why: "shape" });
  return read;
}
