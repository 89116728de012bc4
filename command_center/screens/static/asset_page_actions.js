// What may be ordered about an asset now, why the rest may not, and where each order goes.

import { ask } from "./net.js";

const ROUTES = {
  freeze: "freezes", seize: "seizures", pre_register: "pre-registrations", impound: "impoundments",
  freeze_and_transfer: "freeze-transfers", withdraw_income: "income-withdrawals",
  renew: "renewals", part_release: "part-releases", release: "releases", transfer: "transfers",
};
/** In which order they are offered. */
export const ACTIONS = Object.keys(ROUTES);
export const FIRST = new Set(["freeze", "seize", "pre_register", "impound", "freeze_and_transfer", "withdraw_income"]);
export const WITH_TERM = new Set(["freeze", "seize", "pre_register", "impound", "freeze_and_transfer", "renew"]);
/** The longest term by the kind of asset, in years. Source: 解释 §485. */
export const LONGEST_YEARS = { bank_account: 1, movable: 2, real_estate: 3, other_right: 3 };

/** The asset's measure, its marks, and each order with the reason why it can't be given, if there is one. */
export async function controlsOf(assetId) {
  const controls = await ask("GET", `/api/assets/items/${assetId}/controls`);
  const known = controls.allowed.filter((one) => one.action in ROUTES);
  controls.allowed = known.sort((one, other) => ACTIONS.indexOf(one.action) - ACTIONS.indexOf(other.action));
  return controls;
}

/** What an order would add to the cover of the claim. */
export const previewOf = (assetId, cents) => ask("GET", `/api/assets/items/${assetId}/preview${cents ? `?amount_cents=${cents}` : ""}`);

/** Send an order; pressed twice with one key it stays one. */
export function send({ action, assetId, measureId, values, key }) {
  const body = { ruling_number: values.ruling, override_reason: values.override ?? "", emergency: values.emergency ?? "", idempotency_key: key };
  if (FIRST.has(action)) body.asset_id = assetId;
  else body.measure_id = measureId;
  if (WITH_TERM.has(action)) body.years = values.years;
  if (values.cents) body.amount_cents = values.cents;
  if (values.recipient) body.recipient = values.recipient;
  return ask("POST", `/api/assets/${ROUTES[action]}`, body);
}

/** The last day of a term of whole years: the same day of the month, less one; for 29 February 28, where it is missing. */
export function lastDay(start, years) {
  const [year, month, date] = start.split("-").map(Number);
  const end = year + years;
  const isLeap = (end % 4 === 0 && end % 100 !== 0) || end % 400 === 0;
  const same = month === 2 && date === 29 && !isLeap ? 28 : date;
  return new Date(Date.UTC(end, month - 1, same) - 86_400_000).toISOString().slice(0, 10);
}

/** The day after. */
export const nextDay = (day) => new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
