// What is chosen on the second person's page: what it is about, the cover against the claim, the papers, the deeds.

import { stateOf } from "./approval_lists.js";
import { FIRST } from "./asset_page_actions.js";
import { claimMoney, coded, gatewayName, instant, money, orderWord, saidWords } from "./asset_words.js";
import { h, stateMark } from "./dom.js";
import { ask } from "./net.js";
import { askReason } from "./reason.js";
import { askSure } from "./sure.js";
import { say } from "./words.js";

/** The parts of the chosen thing; `papers` is null for whoever may not read them. */
export function detailOf(name, item, papers, page) {
  return [
    h("header.approval-head", {}, h("div", {}, h("h2", {}, titleOf(item)), stateOf(name, item)), h("div.approval-deeds", {}, deedsOf(name, item, page))),
    name === "objections" && h("blockquote.approval-words", {}, item.words),
    item.said_special && h("p.approval-said", {}, h("b", {}, say("asset.mark.said")), saidOf(item)),
    item.request.override_reason && h("p.approval-override", {}, h("b", {}, say(isLifting(item) ? "approval.lift.reason" : "approval.override")), item.request.override_reason),
    h("div.approval-columns", {}, h("div", {}, name === "waiting" && !isLifting(item) && cover(item), facts(item)), papersOf(papers)),
  ].filter(Boolean);
}

/** What is decided on inside the court alone: nothing is sealed for it, and nothing sent. */
const isLifting = (item) => item.request.action === "lift_mark";

/** What the institution said of the account, and when. */
const saidOf = ({ said_special: special, said_at: at, request }) => saidWords({ special, gateway: request.gateway, at });

const titleOf = (item) => say("approval.title", { action: coded("asset.action", item.request.action), case: item.case_number });

function deedsOf(name, item, page) {
  if (item.acting_court) return h("small", {}, say("error.not-own-court", { court: item.acting_court }));
  if (name === "objections") return objectionDeeds(item, page);
  if (name === "overdue") return overdueDeeds(item, page);
  return waitingDeeds(item, page);
}

function waitingDeeds(item, { may, perform }) {
  const { request } = item;
  if (item.may_decide) {
    return [
      button("approve", true, () => perform(() => approve(item), say(`approval.told.${isLifting(item) ? "lift" : "approve"}`))),
      button("decline", false, () => perform(() => withReason("decline", `/api/assets/requests/${request.id}/decline`, "reason", isLifting(item) ? "approval.lift.decline" : undefined), say("approval.told.decline"))),
    ];
  }
  if (item.may_withdraw) return button("withdraw", false, () => perform(() => withdraw(item), say("approval.told.withdraw")));
  return h("small", {}, say(may("approve_assets") ? "approval.own" : "approval.not-yours"));
}

async function approve(item) {
  const { request } = item;
  const about = [item.person_name, thingOf(item), item.said_special && saidOf(item), request.amount_cents === null ? "" : money(request.amount_cents)].filter(Boolean);
  if (!await askSure(titleOf(item), say("approval.approve"), about)) return false;
  return ask("POST", `/api/assets/requests/${request.id}/approve`, { idempotency_key: crypto.randomUUID() });
}

async function withdraw(item) {
  if (!await askSure(titleOf(item), say("approval.withdraw"), [say(isLifting(item) ? "approval.lift.withdraw" : "approval.withdraw.about")])) return false;
  return ask("POST", `/api/assets/requests/${item.request.id}/withdraw`, { idempotency_key: crypto.randomUUID() });
}

function objectionDeeds(item, { may, perform }) {
  if (!mayGoOn(item, may)) return h("small", {}, say("approval.objection.judge"));
  return ["maintain", "yield"].map((deed) => button(deed, deed === "maintain", () => perform(
    () => withReason(deed, `/api/assets/objections/${item.id}/${deed}`, "answer", deed === "yield" ? yieldAbout(item.request) : undefined), say(`approval.told.${deed}`),
  )));
}

function overdueDeeds(item, { may, perform }) {
  if (!mayGoOn(item, may)) return h("small", {}, say("approval.overdue.judge"));
  return button("retry", true, () => perform(() => ask("POST", `/api/assets/requests/${item.request.id}/retry`), say("approval.told.retry")));
}

async function withReason(deed, path, field, about = `approval.${deed}.about`) {
  const words = await askReason(say(`approval.${deed}.title`), say(`approval.${deed}`), say(about));
  if (words === null) return false;
  return ask("POST", path, { [field]: words, idempotency_key: crypto.randomUUID() });
}

/** What yielding does: an asking before that got no answer may have been carried out all the same. */
function yieldAbout({ action, attempts }) {
  if (action !== "query" && attempts > 0) return "approval.yield.about.unknown";
  return FIRST.has(action) ? "approval.yield.about" : "approval.yield.about.change";
}

/** Who may order such a thing may answer an objection to it, and ask again. */
const mayGoOn = (item, may) => may(item.request.action === "query" ? "query_assets" : "control_assets");

const button = (name, isFirst, onclick) => h(isFirst ? "button.primary" : "button", { type: "button", dataset: { deed: name }, onclick }, say(`approval.${name}`));

/** What is really held against the claim, and what this would add; what waits in line counts nothing. */
function cover(item) {
  const { claim_cents: claim, controlled_cents: held } = item;
  const asked = ["freeze", "freeze_and_transfer", "withdraw_income"].includes(item.request.action) ? item.request.amount_cents ?? 0 : 0;
  const scale = Math.max(claim, held + asked, 1);
  const share = (cents) => `${(100 * cents / scale).toFixed(2)}%`;
  const bar = h("div.approval-bar", { role: "img", "aria-label": say("approval.cover.title") }, h("span.approval-bar-held"), h("span.approval-bar-asked"), h("span.approval-bar-claim"));
  const [heldPart, askedPart, claimMark] = bar.children;
  heldPart.style.width = share(held);
  askedPart.style.width = share(asked);
  claimMark.style.left = `min(${share(claim)}, calc(100% - 2px))`;
  claimMark.hidden = !claim;
  const isOver = claim > 0 && held + asked > claim;
  return h("section.approval-cover", {},
    h("h3", {}, say("approval.cover.title")), bar,
    h("dl.approval-figures", {}, figureOf("held", held), asked > 0 && figureOf("asked", asked), figureOf("claim", claim, claimMoney)),
    isOver && stateMark("serious", say("approval.cover.over", { amount: money(held + asked - claim) })));
}

const figureOf = (name, cents, told = money) => h(`div.approval-figure-${name}`, {}, h("dt", {}, say(`approval.cover.${name}`)), h("dd", {}, told(cents)));

const thingOf = (item) => item.thing && [coded("asset.kind", item.thing.kind), item.thing.reference, item.thing.description].filter(Boolean).join(" · ");

function facts(item) {
  const { request } = item;
  const rows = {
    state: orderWord(request.state),
    person: item.person_name,
    thing: thingOf(item),
    available: item.thing?.available_cents === null || !item.thing ? "" : money(item.thing.available_cents),
    amount: request.amount_cents === null ? "" : money(request.amount_cents),
    gateway: gatewayName(request.gateway),
    ruling: request.ruling_number,
    number: request.number,
    ordered: item.ordered_by_name && say("approval.by", { name: item.ordered_by_name, at: instant(request.created_at) }),
    sent: request.sent_at && instant(request.sent_at),
    attempts: request.attempts ? say("asset.attempts", { count: request.attempts }) : "",
    next: request.next_ask_at && instant(request.next_ask_at),
  };
  const shown = Object.entries(rows).filter(([, words]) => words);
  return h("dl.approval-facts", {}, shown.map(([name, words]) => [h("dt", {}, say(`approval.fact.${name}`)), h("dd", {}, words)]));
}

function papersOf(papers) {
  if (papers === null) return h("p.approval-none", {}, say("approval.papers.closed"));
  if (!papers.length) return h("p.approval-none", {}, say("approval.papers.none"));
  return h("section.approval-papers", {}, h("h3", {}, say("approval.papers")), papers.some((one) => one.is_masked) && h("p.approval-none", {}, say("approval.papers.masked")), papers.map((paper, place) => h("details", { open: place === papers.length - 1 },
    h("summary", {}, h("b", {}, paper.content.split("\n")[1]), h("span.approval-paper-number", {}, paper.number), seal(paper.head)),
    h("div.approval-paper", {}, paper.content.split("\n").map((line, row) => h(row < 3 ? "p.approval-paper-title" : "p", {}, line))))));
}

function seal(head) {
  if (!head) return stateMark("off", say("approval.seal.none"));
  return head.trouble ? stateMark("critical", say("approval.seal.broken")) : stateMark("normal", say("approval.seal.good"));
}
