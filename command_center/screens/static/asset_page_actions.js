// What may be ordered about an asset now, and why the rest may not.

const FREE = new Set(["none", "not_controlled", "released", "lapsed"]);
const FIRST = { bank_account: "freeze", real_estate: "seize" };

/** [{action, code}]: `code` is empty where it may be ordered, else why not. */
export async function actionsOf(row) {
  const { asset } = row;
  const first = FIRST[asset.kind];
  if (!first || !asset.gateway) return [];
  return [{ action: first, code: FREE.has(asset.standing) ? "" : "measure-stands" }];
}

/** Where and with what an order goes. */
export function orderOf(action, row, values) {
  const common = { asset_id: row.asset.id, ruling_number: values.ruling, idempotency_key: values.key };
  if (action === "freeze") return ["/api/assets/freezes", { ...common, amount_cents: values.cents }];
  return ["/api/assets/seizures", common];
}
