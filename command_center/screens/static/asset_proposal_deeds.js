// What a judge may do about a proposal: order it, note what was found as a clue first, or decline with a reason.

import { gatewayName } from "./asset_words.js";
import { h } from "./dom.js";
import { askFields } from "./field_dialog.js";
import { ask } from "./net.js";
import { askReason } from "./reason.js";
import { say } from "./words.js";

const path = (item, deed) => `/api/assets/proposals/${item.id}/${deed}`;

/** The buttons of a proposal that waits; `perform(deed, words)` does one and tells. */
export function deedsOf(item, perform) {
  if (item.acting_court) return [h("small", {}, say("error.not-own-court", { court: item.acting_court }))];
  const button = (name, deed) => h("button", { type: "button", dataset: { deed: name }, onclick: deed }, say(`proposals.${name}`));
  const first = item.standing_request_id !== null
    ? button("link", () => perform(() => ask("POST", path(item, "take-up"), { request_id: item.standing_request_id }), say("proposals.told.linked")))
    : item.asset_id !== null
      ? h("a.button", { href: orderAddress(item), dataset: { deed: "order" } }, say("proposals.order"))
      : button("record", () => perform(() => record(item), say("proposals.told.recorded")));
  return [first, " ", button("decline", () => perform(() => decline(item), say("proposals.told.declined")))];
}

/** Where it is ordered: the asset's place on the judge's page, which carries the proposal along. */
function orderAddress(item) {
  return `/assets?${new URLSearchParams({ case: item.case_id, asset: item.asset_id, proposal: item.id })}`;
}

async function decline(item) {
  const reason = await askReason(say("proposals.decline.title"), say("proposals.decline.do"), say("proposals.decline.about"));
  if (reason === null) return false;
  await ask("POST", path(item, "decline"), { reason });
  return true;
}

async function record(item) {
  const { persons } = await ask("GET", `/api/assets/cases/${item.case_id}`);
  const choices = persons.filter((one) => one.is_under_enforcement).map((one) => [one.id, `${one.name} ${one.id_number}`]);
  const gateways = [...item.gateways.map((name) => [name, gatewayName(name)]), ["", say("proposals.record.nobody")]];
  const recorded = await askFields({
    title: say("proposals.record.title"),
    deed: say("proposals.record.do"),
    fields: [
      { name: "person_id", label: say("proposals.record.person"), kind: "select", options: choices, value: item.person_id ?? choices[0]?.[0] },
      { name: "gateway", label: say("proposals.record.gateway"), kind: "select", options: gateways, value: item.gateways.length === 1 ? item.gateways[0] : "" },
    ],
    send: (values) => ask("POST", path(item, "asset"), values),
  });
  return recorded !== null;
}
