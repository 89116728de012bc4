// A computed distribution: every figure with the rule that it comes from.

import { h } from "./dom.js";
import { money } from "./money.js";
import { say } from "./words.js";

/**
 * The figures of `content`, as the API gives them. `names` are the case's persons by id. Where something may be given,
 * `inputs.hold` makes the input of a claim's reason to hold it and `inputs.rank` that of the rank of one that comes first.
 */
export function figures(content, names, inputs = null) {
  const rows = [
    row(say("case-money.figures.pot"), "", content.pot_cents, "total"),
    ...feeRows(content.fee),
    ...content.claims.flatMap((claim) => claimRows(claim, content, names, inputs)),
    content.rest_cents > 0 && row(say("case-money.figures.rest"), names.get(content.rest_person_id)?.name ?? "", content.rest_cents, "share"),
  ].filter(Boolean);
  return h("div.money-figures", {},
    !inputs && h("p.money-hint", {}, `${say("case-money.compute.as-of")} ${content.as_of}`),
    h("table", {}, h("tbody", {}, rows)),
    h("p.money-hint", {}, say("case-money.figures.rounding"), " ", say(`case-money.rule.practice-credit.${content.practice.credit_order}`)));
}

function row(words, rule, cents, kind, ...more) {
  return h(`tr.money-figure-${kind}`, {},
    h("td", {}, words, more), h("td.money-rule", {}, rule), h("td.money-amount", {}, cents === null ? "" : money(cents)));
}

function feeRows(fee) {
  const parts = fee.base_cents > 0 ? [row(say("case-money.figures.fee.least"), "", fee.least_cents, "step")] : [];
  for (const one of fee.parts) {
    const words = say("case-money.figures.fee.part", { from: money(one.from_cents), to: money(one.to_cents), rate: `${one.per_mille / 10}%` });
    parts.push(row(words, "", one.cents, "step"));
  }
  const taken = say("case-money.figures.fee.taken", { total: money(fee.total_cents), taken: money(fee.taken_cents) });
  return [
    row(say("case-money.figures.fee"), say(`case-money.rule.${fee.rule}`), fee.cents, "share",
      h("small", {}, say("case-money.figures.fee.base", { amount: money(fee.base_cents) }), fee.taken_cents > 0 && ` · ${taken}`)),
    ...parts,
  ];
}

function claimRows(claim, content, names, inputs) {
  const credited = claim.credited_cents > 0 && h("small", {}, say("case-money.figures.credited", { amount: money(claim.credited_cents) }));
  // A proposal shows the account that a share was to be paid to; another may have been noted since.
  const account = content.payees?.[claim.person_id] ?? names.get(claim.person_id);
  const head = row(names.get(claim.person_id)?.name ?? "", "", claim.cents, "share",
    h("small", {}, account?.payee_account ? `${account.payee_account} ${account.payee_bank}` : say("case-money.payee.none")), credited,
    claim.hold_reason && h("small.money-held", {}, say("case-money.figures.held", { reason: claim.hold_reason })),
    inputs && claim.is_priority && inputs.rank(claim),
    inputs && claim.cents > 0 && inputs.hold(claim));
  return [
    head,
    row(say("case-money.figures.principal"), "", claim.open_principal_cents, "step"),
    claim.open_ordinary_cents > 0 && row(say("case-money.figures.ordinary"), "", claim.open_ordinary_cents, "step"),
    claim.doubled_cents > 0 && row(say("case-money.figures.doubled"), say(`case-money.rule.${claim.interest_rule}`), claim.doubled_cents, "step",
      claim.stretches.map((one) => h("small", {}, say("case-money.figures.stretch", { since: one.since, days: one.days, principal: money(one.principal_cents) })))),
    ...claim.shares.map((share) => row(
      `${say("case-money.figures.share")} · ${say(`case-money.tier.${share.tier}`)}`, say(`case-money.rule.${share.rule}`), share.cents, "step",
      h("small", {}, `${say("case-money.figures.owed")} ${money(share.owed_cents)}`))),
  ].filter(Boolean);
}
