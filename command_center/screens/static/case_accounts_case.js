// One case's account: where its money is, what arrived, what is proposed, paid, held and told.

import { approve, endDeferral, namePayee, proposeDeferral, refundFee, settle, withReason } from "./case_accounts_dialogs.js";
import { figures } from "./case_accounts_figures.js";
import { Proposing } from "./case_accounts_propose.js";
import { amountCell, deadlineMark, deed, none, part, paymentMark, proposalMark, table } from "./case_accounts_words.js";
import { h, stateMark } from "./dom.js";
import { money } from "./money.js";
import { ask } from "./net.js";
import { person } from "./person.js";
import { minute } from "./time.js";
import { say } from "./words.js";

const PATH = "/api/assets/accounts";
const GONE = ["paid", "refunded", "fees"];
const THERE = ["held", "undistributed", "prepaid", "paying"];

export class AccountView {
  /** `refusal` says why nothing may be done with what this view draws; a case says it by itself. */
  constructor(page, refusal = "") {
    this.page = page;
    this.refusal = refusal;
    this.element = h("section.panel.money-right", { "aria-label": say("case-money.title") });
    this.proposing = new Proposing(page);
    this.shown = null;
    this.clear();
  }

  clear() {
    this.shown = null;
    this.element.replaceChildren(h("p.money-blank", {}, say("case-money.choose")));
  }

  show(found) {
    const text = JSON.stringify(found);
    if (this.shown === text) return; // nothing changed, so what is being read or written stays as it is
    if (this.proposing.isOpenFor(found.account.line.case_id) && this.shown !== null) return;
    this.shown = text;
    const court = found.account.acting_court;
    this.refusal = court && say("error.not-own-court", { court });
    const view = { ...found, names: new Map(found.account.persons.map((one) => [one.id, one])) };
    const open = new Set([...this.element.querySelectorAll("details[open]")].map((one) => one.dataset.name));
    const top = this.element.querySelector(".money-body")?.scrollTop ?? 0;
    const body = h("div.money-body", {}, this.parts(view));
    this.element.replaceChildren(head(view), body);
    for (const one of body.querySelectorAll("details")) one.open = open.has(one.dataset.name) || one.open;
    body.scrollTop = top;
  }

  parts(view) {
    const { account } = view;
    const handles = this.may("handle_case_money");
    const isOpen = account.proposals.some((one) => one.kind === "distribution" && one.state === "proposed");
    return [
      this.refusal && h("p.money-hint", {}, this.refusal),
      placesOf(account.line.places),
      dueOf(account),
      part("proposals", this.proposals(view),
        handles && !isOpen && account.line.places.undistributed_cents > 0 && deed("compute", () => this.proposing.open(view, this.element), ".primary"),
        handles && deed("defer", () => this.page.perform(() => proposeDeferral(view), say("case-money.propose.done"))),
        handles && deed("payee", () => this.page.perform(() => namePayee(view), say("case-money.payee.done")))),
      part("payments", account.payments.length ? this.payments(account.payments) : none("payments")),
      account.holds.length > 0 && part("holds", this.holds(view)),
      part("arrivals", account.arrivals.length ? this.arrivals(view) : none("arrivals")),
      part("notices", noticesOf(account.notices)),
      this.postings(account.line.case_id),
    ].filter(Boolean);
  }

  /** Whoever may only look at another court's case or account is offered nothing to do in it. */
  may(permission) {
    return !this.refusal && this.page.may(permission);
  }

  proposals(view) {
    const items = [...view.account.proposals].reverse();
    return items.length ? items.map((one) => this.proposal(view, one)) : none("proposals");
  }

  proposal(view, one) {
    const name = (id) => view.people[id] ?? "–";
    const isMine = one.proposed_by === person().user_id;
    const isWaiting = one.state === "proposed";
    const act = (what, words) => this.page.perform(what, say(words));
    const decides = this.may("approve_case_money") && isWaiting;
    return h("details.money-proposal", { open: isWaiting, dataset: { name: one.id, state: one.state } },
      h("summary", {}, proposalMark(one.state), h("b", {}, say(`case-money.kind.${one.kind}`)), one.cents > 0 && h("span", {}, money(one.cents)),
        h("small", {}, say("case-money.proposed-by", { name: name(one.proposed_by), at: minute(one.proposed_at) })),
        one.decided_by && h("small", {}, say("case-money.decided-by", { name: name(one.decided_by), at: minute(one.decided_at) }))),
      one.reason && h("p.money-hint", {}, one.reason),
      one.changes.length > 0 && changesOf(one.changes, view.names),
      contentOf(one, view),
      h("div.money-deeds", {},
        decides && !isMine && one.changes.length === 0 && deed("approve", () => act(() => approve(one), "case-money.approve.done"), ".primary"),
        decides && !isMine && deed("reject", () => act(() => withReason("reject", `proposals/${one.id}`), "case-money.reject.done")),
        isWaiting && !decides && h("span.money-hint", {}, say("case-money.wait")),
        isWaiting && isMine && this.may("handle_case_money") && deed("withdraw", () => act(() => withReason("withdraw", `proposals/${one.id}`), "case-money.withdraw.done")),
        one.kind === "deferral" && one.state === "approved" && (this.may("handle_case_money") || this.may("approve_case_money"))
          && deed("defer.end", () => act(() => endDeferral(one), "case-money.defer.end.done"))));
  }

  payments(items) {
    const heads = [[say("case-money.payment.payee")], [say("case-money.amount"), "money-amount"], [say("case-money.payment.state")], [""]];
    const mayAsk = this.may("handle_case_money") || this.may("approve_case_money");
    return table(heads, items.map((one) => h("tr", { dataset: { payment: one.id, state: one.state } },
      h("td", {}, `${one.payee_name} ${one.payee_account}`, h("small", {}, `${say(`case-money.payment.${one.purpose}`)} · ${one.number}`)),
      amountCell(one.cents),
      h("td", {}, paymentMark(one), h("small", {}, paymentNote(one))),
      h("td.money-deeds", {}, ["sent", "unknown"].includes(one.state) && [
        mayAsk && deed("ask", () => this.page.perform(() => ask("POST", `${PATH}/payments/${one.id}/ask`), say("case-money.ask.done"))),
        this.may("handle_case_money") && deed("settle", () => this.page.perform(() => settle(one), say("case-money.propose.done")))]))));
  }

  holds(view) {
    const heads = [[say("case-money.payment.payee")], [say("case-money.amount"), "money-amount"], [""]];
    return table(heads, view.account.holds.map((one) => h("tr", {},
      h("td", {}, view.names.get(one.person_id)?.name ?? "", h("small", {}, one.reason)),
      amountCell(one.cents),
      h("td.money-deeds", {}, one.released_at
        ? h("small", {}, say("case-money.hold.released", { reason: one.release_reason }))
        : this.may("handle_case_money") && deed("release", () => this.page.perform(() => withReason("release", `holds/${one.id}`)))))));
  }

  arrivals(view) {
    const heads = [[say("case-money.arrived")], [say("case-money.payer")], [say("case-money.amount"), "money-amount"], [""]];
    return table(heads, view.account.arrivals.map((one) => h("tr", { dataset: { arrival: one.id } },
      h("td", {}, minute(one.arrived_at), h("small", {}, one.bank_serial)),
      h("td", {}, `${one.payer_name} ${one.payer_account}`, h("small", {}, one.remark),
        h("small", {}, say(`case-money.matched.${one.matched_by}`, { name: view.people[one.claimed_by] ?? "" }), ` · ${one.receipt_number}`)),
      amountCell(one.cents),
      h("td.money-deeds", {}, one.purpose === "court_fee" && this.refund(one),
        !one.is_refunded && this.may("handle_case_money")
          && deed("unmatch", () => this.page.perform(() => withReason("unmatch", `arrivals/${one.id}`), say("case-money.unmatch.done")))))));
  }

  refund(arrival) {
    if (arrival.is_refunded) return h("small", {}, say("case-money.arrival.refunded"));
    return this.may("handle_case_money") && deed("refund", () => this.page.perform(() => refundFee(arrival), say("case-money.propose.done")));
  }

  postings(caseId) {
    const place = h("div");
    const details = h("details.money-postings", { dataset: { name: "postings" } }, h("summary", {}, say("case-money.postings")), place);
    details.addEventListener("toggle", async () => {
      if (!details.open) return;
      const { items } = await ask("GET", `${PATH}/cases/${caseId}/postings`);
      place.replaceChildren(table([["#"], [""], [""], [say("case-money.amount"), "money-amount"]], items.flatMap((one) => one.entries.map(([kind, cents], place) => h("tr", {},
        h("td", {}, place ? "" : String(one.number)), h("td", {}, place ? "" : `${minute(one.at)} ${say(`case-money.posting.${one.kind}`)}`),
        h("td", {}, say(`case-money.place.${kind}`)), amountCell(kind === "received" ? -cents : cents))))));
    });
    return details;
  }
}

function head({ account: { line, effective_on: effectiveOn } }) {
  return h("div.money-head", {},
    h("h2", {}, line.case_number),
    h("span", {}, `${say("case-money.debtor")} ${line.debtors.join(say("asset.list.separator"))}`),
    h("span", {}, `${say("case-money.judge")} ${line.judge_name}`),
    h("span", {}, `${say("case-money.sub")} ${line.sub_number || "–"}`),
    effectiveOn && h("span", {}, `${say("case-money.refund.on")} ${effectiveOn}`),
    line.is_demonstration && h("span.money-demonstration", {}, say("case-money.demonstration")));
}

/** The equation that always holds: received = what is gone + what is there. */
function placesOf(places) {
  const term = (name) => h("div.money-place", { dataset: { place: name } },
    h("span", {}, say(`case-money.place.${name}`)), h("b", {}, money(places[`${name}_cents`])));
  const sign = (text) => h("span.money-sign", { "aria-hidden": "true" }, text);
  const terms = [...GONE, ...THERE].filter((name) => places[`${name}_cents`] > 0 || name === "paid" || name === "undistributed");
  return h("div.money-places", {}, term("received"), sign("="), terms.flatMap((name, place) => (place ? [sign("+"), term(name)] : [term(name)])));
}

function dueOf({ line }) {
  const one = (key, deadline, rule) => deadline.state !== "none" && h("div.money-due", {},
    h("span", {}, say(key)), deadline.due_on && h("b", {}, deadline.due_on), deadlineMark(deadline), h("small", {}, say(rule)));
  return h("div.money-dues", {},
    one("case-money.due.payout", line.payout, "case-money.due.rule"), one("case-money.due.fee", line.fee_refund, "case-money.due.fee.rule"));
}

/** What isn't as it was when it was computed: nobody can approve it any more. */
function changesOf(changes, names) {
  return h("div.money-changes", { role: "note" }, stateMark("serious", say("case-money.changed")),
    h("ul", {}, changes.map((one) => h("li", {}, h("b", {}, names.get(one.person_id)?.name ?? ""), " ", say(`case-money.changed.${one.what}`),
      (one.before || one.now) && h("span", {}, ` ${one.before || "–"} → ${one.now || "–"}`)))));
}

function contentOf(one, view) {
  if (one.kind === "distribution") return figures(one.content, view.names);
  if (one.kind === "deferral") {
    return h("p", {}, say(`case-money.ground.${one.content.ground}`), one.content.note && ` · ${one.content.note}`, one.ended_on && ` · ${say("case-money.defer.end.on")} ${one.ended_on}`);
  }
  if (one.kind === "settlement") {
    const { content } = one;
    return h("p", {}, [`${say(`case-money.outcome.${content.outcome}`)} · ${content.number}`, content.bank_serial, content.paid_on, content.note].filter(Boolean).join(" · "));
  }
  if (one.kind === "return") return h("p", {}, `${one.content.serial} · ${one.content.note}`);
  return h("p", {}, `${say("case-money.refund.on")} ${one.content.effective_on} · ${say("case-money.due.fee")} ${one.content.due_on}`);
}

function paymentNote(one) {
  if (one.state === "paid") return say("case-money.payment.receipt", { number: one.receipt_number || one.bank_serial });
  if (one.state === "refused") return one.reason;
  return one.attempts > 0 ? say("case-money.payment.attempts", { count: one.attempts }) : "";
}

function noticesOf(items) {
  return [h("p.money-hint", {}, say("case-money.notices.hint")), items.length
    ? h("ul.money-notices", {}, items.map((one) => h("li", {}, stateMark("off", say(`case-money.notice.${one.state}`)), h("span", {}, one.text))))
    : none("notices")];
}
