// Proposing a sanction: case and person first, then what would bar it, then what the publication needs.

import { caseChoice } from "./case_choice.js";
import { h } from "./dom.js";
import { askFields } from "./field_dialog.js";
import { ask } from "./net.js";
import { performance } from "./sanction_deeds.js";
import { evidenceOf, outcomeOf } from "./sanction_words.js";
import { say } from "./words.js";

const GROUNDS = ["refuses", "resists", "evades", "reporting", "limit_broken", "settlement_broken"];

/** Ask and propose; answers what was proposed, or null. */
export async function propose() {
  const choice = await caseChoice(({ head }) => head.number);
  const checks = h("div.sanction-preview.is-whole", { role: "status" });
  const options = (names, family) => names.map((name) => [name, say(`${family}.${name || "unknown"}`)]);
  const asked = askFields({
    title: say("sanction.propose"),
    deed: say("sanction.propose.send"),
    about: [say("sanction.about.propose")],
    isWide: true,
    fields: [
      { kind: "note", element: choice.narrowing },
      { name: "case_id", label: say("sanction.column.case"), kind: "select", required: true, options: choice.options },
      { name: "person_id", label: say("sanction.column.person"), kind: "select", required: true, options: [] },
      { name: "kind", label: say("sanction.kind"), kind: "select", options: options(["listing", "limit"], "sanction.kind") },
      { name: "ground", label: say("sanction.column.ground"), kind: "select", options: options(GROUNDS, "sanction.ground") },
      { name: "security", label: say("sanction.propose.security"), kind: "select", options: options(["", "none", "inadequate", "adequate"], "sanction.security") },
      { name: "security_note", label: say("sanction.propose.security-note"), kind: "text", maxlength: 500 },
      { kind: "note", element: checks },
      { name: "facts", label: say("sanction.fact.facts"), kind: "textarea", required: true, maxlength: 1000 },
      { name: "basis_document", label: say("sanction.fact.basis"), kind: "text", required: true, maxlength: 100, placeholder: say("sanction.basis.placeholder") },
      performance(),
      { name: "duty", label: say("sanction.fact.duty"), kind: "textarea", required: true, maxlength: 1000 },
      { name: "extra_years", label: say("sanction.propose.extra"), kind: "select", options: ["0", "1", "2", "3"].map((count) => [count, say("sanction.propose.years", { count })]) },
      { name: "extra_reason", label: say("sanction.propose.extra-reason"), kind: "text", maxlength: 500 },
    ],
    send: (values, key) => ask("POST", "/api/assets/sanctions", bodyOf(values, key)),
  });
  const form = document.querySelector("dialog.field-dialog form");
  watch(form, checks);
  choice.narrow(form.elements.case_id);
  return asked;
}

function bodyOf(values, key) {
  const isLimit = values.kind === "limit";
  return {
    ...values,
    ground: isLimit ? null : values.ground,
    extra_years: isLimit ? 0 : Number(values.extra_years),
    extra_reason: isLimit ? "" : values.extra_reason,
    idempotency_key: key,
  };
}

/** Keep the persons of the chosen case and the checks of the chosen person in step with what is chosen. */
function watch(form, place) {
  const { case_id: cases, person_id: persons, kind, ground, security } = form.elements;
  let casesAsked = 0;
  let checksAsked = 0;

  async function readPersons() {
    const mine = ++casesAsked;
    persons.replaceChildren();
    place.replaceChildren();
    if (!cases.value) return;
    const found = await ask("GET", `/api/assets/cases/${cases.value}`);
    if (mine !== casesAsked) return; // another case was chosen meanwhile
    persons.append(...found.persons.filter((one) => one.is_under_enforcement)
      .map((one) => h("option", { value: one.id }, `${one.name} ${one.id_number}`)));
    await readChecks();
  }

  async function readChecks() {
    const mine = ++checksAsked;
    if (!persons.value) return; // they are being read, and their checks come after them
    const query = new URLSearchParams({ case_id: cases.value, person_id: persons.value, kind: kind.value, security: security.value });
    if (kind.value === "listing") query.set("ground", ground.value);
    const { items } = await ask("GET", `/api/assets/sanction-checks?${query}`);
    if (mine !== checksAsked) return;
    place.replaceChildren(h("h3", {}, say("sanction.checks")), h("table", {}, h("tbody", {}, items.map((check) => h("tr", {
      dataset: { check: check.code, outcome: check.outcome },
    }, h("td", {}, outcomeOf(check)), h("th", { scope: "row" }, say(`sanction.check.${check.code}`)), h("td", {}, evidenceOf(check)))))));
  }

  function fit() {
    const isLimit = kind.value === "limit";
    const hasTerm = !isLimit && ground.value !== "refuses";
    for (const name of ["ground", "security", "security_note"]) form.elements[name].disabled = isLimit;
    for (const name of ["extra_years", "extra_reason"]) form.elements[name].disabled = !hasTerm;
    if (!hasTerm) form.elements.extra_years.value = "0";
  }

  const told = (problem) => place.replaceChildren(problem.words ?? String(problem));
  cases.addEventListener("change", () => readPersons().catch(told));
  for (const one of [persons, kind, ground, security]) one.addEventListener("change", () => { fit(); readChecks().catch(told); });
  fit();
}
