// What a judge finds out about an asset: what it is and is worth, that it is registered, where it is kept, what a contradiction was.

import { h } from "./dom.js";
import { figure } from "./asset_words.js";
import { askFields } from "./field_dialog.js";
import { cents } from "./money.js";
import { ask, Problem } from "./net.js";
import { say } from "./words.js";

const SPECIAL = ["migrant_wage", "bank_reserve", "social_security", "union", "treasury", "deposit_guarantee"];
const EXEMPT = ["living_necessities", "living_expenses", "compulsory_education", "unpublished_works", "disability_aids", "honours", "treaty", "other_law"];
const KEEPING = ["inventoried", "stored", "with_keeper", "handed_over", "returned"];

const DONE = Symbol("done");
const optionsOf = (family, values) => [["", say("asset.mark.none")], ...values.map((value) => [value, say(`${family}.${value}`)])];
const reasonField = () => ({ name: "reason", label: say("reason.why"), kind: "textarea", required: true, maxlength: 500 });

/** Send, and answer something: an empty answer is a yes. */
async function done(...asked) {
  await ask(...asked);
  return DONE;
}

export function askMarks({ asset }, controls) {
  const isMoney = asset.kind === "bank_account";
  const fields = [
    isMoney && { name: "special", label: say("asset.mark.special"), kind: "select", options: optionsOf("asset.special", SPECIAL), value: controls.special },
    !isMoney && { name: "exempt", label: say("asset.mark.exempt"), kind: "select", options: optionsOf("asset.exempt", EXEMPT), value: controls.exempt },
    !isMoney && { name: "valuation", label: say("asset.mark.valuation"), kind: "text", value: controls.valuation_cents === null ? "" : figure(controls.valuation_cents) },
    !isMoney && { name: "source", label: say("asset.mark.source"), kind: "text", maxlength: 200, value: controls.valuation_source },
    asset.kind === "real_estate" && { name: "home", label: say("asset.mark.home"), kind: "check", value: controls.is_only_home },
    !isMoney && { name: "indivisible", label: say("asset.mark.indivisible"), kind: "check", value: controls.is_indivisible },
    reasonField(),
  ].filter(Boolean);
  return askFields({
    title: say("asset.marks"), deed: say("asset.mark.save"), fields,
    send: (values) => {
      const worth = values.valuation ? cents(values.valuation) : null;
      if (values.valuation && !worth) throw new Problem(422, { code: "amount-not-valid" });
      return done("PUT", `/api/assets/items/${asset.id}/marks`, {
        special: values.special || null, exempt: values.exempt || null, is_only_home: values.home ?? false, is_indivisible: values.indivisible ?? false,
        valuation_cents: worth, valuation_source: values.source ?? "", reason: values.reason,
      });
    },
  });
}

/** Have a second person set aside what the institution said of an account. */
export function askLifting({ asset }, { said }) {
  return askFields({
    title: say("asset.action.lift_mark"), deed: say("asset.mark.save"), fields: [reasonField()], about: [say(said.is_barring ? "asset.mark.lift.about.barring" : "asset.mark.lift.about")],
    send: ({ reason }, key) => done("POST", `/api/assets/items/${asset.id}/liftings`, { reason, idempotency_key: key }),
  });
}

export function askRegistration(_row, { measure }) {
  return askFields({
    title: say("asset.registered"), deed: say("asset.mark.save"), fields: [reasonField()], about: [say("asset.registered.about")],
    send: ({ reason }, key) => done("POST", `/api/assets/measures/${measure.id}/registration`, { reason, idempotency_key: key }),
  });
}

export function askKeeping(_row, { measure }) {
  const fields = [
    { name: "keeping", label: say("asset.fact.keeping"), kind: "select", options: KEEPING.map((one) => [one, say(`asset.keeping.${one}`)]), value: measure.keeping },
    { name: "place", label: say("asset.keeping.place"), kind: "text", maxlength: 200 },
  ];
  return askFields({
    title: say("asset.keeping"), deed: say("asset.mark.save"), fields,
    send: ({ keeping, place }, key) => {
      if (!place && keeping !== "inventoried") throw new Problem(422, { code: "keeper-missing" });
      return done("POST", `/api/assets/measures/${measure.id}/keeping`, { keeping, place, idempotency_key: key });
    },
  });
}

export function askResolution(_row, { measure }) {
  const outcomes = measure.state === "intended" ? ["transferred", "not_controlled"] : ["released", "lapsed", ...(measure.state === "in_force" ? ["transferred"] : [])];
  const first = measure.state === "intended" ? "—" : say("asset.contradiction.stands");
  const ends = [["", first], ...outcomes.map((one) => [one, say(`asset.contradiction.${one}`)])];
  return askFields({
    title: say("asset.contradiction.resolve"), deed: say("asset.mark.save"),
    about: [h("span", {}, say(`asset.contradiction.${measure.contradiction}`))],
    fields: [{ name: "ends", label: say("asset.contradiction.outcome"), kind: "select", options: ends }, reasonField()],
    send: ({ reason, ends: outcome }, key) => done("POST", `/api/assets/measures/${measure.id}/resolution`, { reason, ends: outcome || null, idempotency_key: key }),
  });
}
