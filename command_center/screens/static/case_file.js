// A case's file: its head, persons with their roles, claims with their total, and what was entered when by whom.

import { addClaim, addPerson, changeClaim, changeRole, correctPerson } from "./case_entry.js";
import { h } from "./dom.js";
import { money } from "./money.js";
import { person as reader } from "./person.js";
import { minute } from "./time.js";
import { knows, say } from "./words.js";

export class CaseFile {
  constructor(changed, tell) {
    this.changed = changed;
    this.tell = tell;
    this.mayManage = false;
    this.element = h("section.panel.case-file", { "aria-label": say("case.file") }, h("p.case-blank", {}, say("case.choose")));
  }

  show(file) {
    this.mayManage = reader().permissions.includes("manage_cases") && !file.acting_court;
    this.element.replaceChildren(
      h("div.case-head", {}, h("h2", {}, file.number), h("span", {}, file.court_name), file.is_own && h("span", {}, say("case.own"))),
      h("div.case-body", { dataset: { case: file.id } },
        file.acting_court && h("p.case-hint", {}, say("error.not-own-court", { court: file.acting_court })),
        h("dl.case-facts", {}, facts(file)),
        this.section("persons", persons(file, this.mayManage, (deed, one) => this.perform(() => deed(file, one))),
          this.button("add-person", () => addPerson(file))),
        this.section("claims", claims(file, this.mayManage, (deed, one) => this.perform(() => deed(file, one))),
          file.persons.some((one) => one.role === "applicant") && this.button("add-claim", () => addClaim(file))),
        this.section("entries", entries(file))));
  }

  section(name, content, button = null) {
    return h(`section.case-${name}`, {}, h("div.case-section-head", {}, h("h3", {}, say(`case.${name}`)), button), content);
  }

  button(name, deed) {
    return this.mayManage && h("button", { type: "button", dataset: { deed: name }, onclick: () => this.perform(deed) }, say(`case.${name}`));
  }

  async perform(deed) {
    try {
      const file = await deed();
      if (file) await this.changed(file);
    } catch (problem) {
      this.tell(problem);
    }
  }
}

function facts(file) {
  const rows = [
    ["claim", file.claim_cents
      ? [h("b.case-claim", {}, say("asset.money", { amount: money(file.claim_cents) })), h("small", {}, file.claim_in_capitals)]
      : say("asset.claim.none")],
    ["filed", file.filed_on], ["judge", file.judge_name], ["cards", `${file.work_card} · ${file.duty_card}`],
  ];
  return rows.map(([name, content]) => h("div", {}, h("dt", {}, say(`case.fact.${name}`)), h("dd", {}, content)));
}

function persons(file, mayManage, perform) {
  const rows = file.persons.map((one) => h("tr", { dataset: { person: one.id, role: one.role } },
    h("td", {}, h("span.case-role", {}, say(`case.role.${one.role}`))),
    h("td", {}, one.name, h("small", {}, say(one.is_firm ? "case.firm" : "case.natural"))),
    h("td.is-plain-number", {}, one.id_number),
    h("td.case-row-deeds", {}, mayManage && [
      h("button.quiet", { type: "button", dataset: { deed: "role" }, onclick: () => perform(changeRole, one) }, say("case.change-role")),
      h("button.quiet", { type: "button", dataset: { deed: "correct" }, onclick: () => perform(correctPerson, one) }, say("case.correct")),
    ])));
  return h("table", {}, h("tbody", {}, rows));
}

function claims(file, mayManage, perform) {
  if (!file.claims.length) return h("p.case-hint", {}, say("case.claims.none"));
  const name = new Map(file.persons.map((one) => [one.id, one.name]));
  const heads = ["creditor", "kind", "amount", "principal", "interest", ""].map((one) => h("th", { scope: "col" }, one && say(`case.claim.${one}`)));
  const rows = file.claims.map((one) => h("tr", { dataset: { claim: one.id } },
    h("td", {}, name.get(one.creditor_id) ?? "–", one.basis && h("small", {}, one.basis)),
    h("td", {}, say(`case.claim.kind.${one.kind}`)),
    h("td.is-number", {}, h("span", {}, money(one.amount_cents)), h("small", {}, one.amount_in_capitals)),
    h("td.is-number", {}, money(one.principal_cents)),
    h("td", {}, one.interest_from ?? "–"),
    h("td.case-row-deeds", {}, mayManage && h("button.quiet", { type: "button", dataset: { deed: "claim" }, onclick: () => perform(changeClaim, one) }, say("case.change-claim")))));
  return h("table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows));
}

function entries(file) {
  if (!file.entries.length) return h("p.case-hint", {}, say("case.entries.none"));
  const name = new Map(file.persons.map((one) => [one.id, one.name]));
  return h("ol.case-steps", {}, file.entries.map((one) => h("li", { dataset: { entry: one.what } },
    h("time", { datetime: one.at }, minute(one.at)), h("b", {}, say(`case.entry.${one.what}`)), h("span", {}, one.by_name || "–"),
    h("small", {}, [name.get(one.subject_id), ...told(one.details)].filter(Boolean).join(" · ")))));
}

/** What an entry changed, in words. */
function told({ before, role, before_cents: beforeCents, amount_cents: cents, kind, reason, number }) {
  const roleOf = (value) => (knows(`case.role.${value}`) ? say(`case.role.${value}`) : value);
  return [
    number, role && (before ? `${roleOf(before)} → ${roleOf(role)}` : roleOf(role)), kind && say(`case.claim.kind.${kind}`),
    cents !== undefined && (beforeCents === undefined ? money(cents) : `${money(beforeCents)} → ${money(cents)}`), reason,
  ];
}
