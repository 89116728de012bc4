// The proposal that a judge came with to the asset page: carried in its address, and taken up by the order that follows.

import { FIRST } from "./asset_page_actions.js";
import { ask } from "./net.js";

/** Tell that this order follows the proposal in the address, where there is one; gives whether it was taken up. */
export async function takeUpProposal(order) {
  const address = new URL(location.href);
  const proposal = address.searchParams.get("proposal");
  if (!proposal || !FIRST.has(order.action)) return false;
  await ask("POST", `/api/assets/proposals/${encodeURIComponent(proposal)}/take-up`, { request_id: order.id });
  address.searchParams.delete("proposal");
  history.replaceState(null, "", address);
  return true;
}
