// The money of cases: what waits to be claimed, the cases with money, one case's account, the month's report.

import { AccountView } from "./case_accounts_case.js";
import { claimArrival, openMain, withReason } from "./case_accounts_dialogs.js";
import { showReport } from "./case_accounts_report.js";
import { amountCell, deadlineMark, deed, none, table } from "./case_accounts_words.js";
import { h, stateMark, write } from "./dom.js";
import { toSignIn } from "./live.js";
import { money } from "./money.js";
import { ask } from "./net.js";
import { person } from "./person.js";
import { minute } from "./time.js";
import { say } from "./words.js";

const ROUND_MS = 15_000;
const PATH = "/api/assets/accounts";

export async function mount(body) {
  const page = new CaseMoney(body);
  await page.read();
  const wanted = new URLSearchParams(location.search).get("case");
  if (wanted) await page.choose(wanted);
  while (body.isConnected) {
    await new Promise((resolve) => { setTimeout(resolve, ROUND_MS); });
    if (body.isConnected && document.visibilityState === "visible") await page.read();
  }
}

class CaseMoney {
  constructor(body) {
    this.may = (permission) => person().permissions.includes(permission);
    this.news = h("p.money-news", { role: "status" });
    this.facts = h("dl.money-facts");
    this.waiting = h("div.money-waiting");
    this.discrepancies = h("div.money-discrepancies");
    this.cases = h("div.money-cases");
    this.all = h("input", { type: "checkbox", onchange: () => this.read() });
    this.view = new AccountView(this);
    // What is of no case is drawn alike, whichever case is shown beside it.
    this.ofNoCase = new AccountView(this);
    this.ofOthers = new AccountView(this, say("error.not-own-court-account"));
    this.chosen = null;
    this.list = [];
    this.seen = {};
    body.replaceChildren(
      h("section.panel.money-left", { "aria-label": say("case-money.title") },
        this.facts, this.news, this.discrepancies, this.waiting,
        h("div.money-list-head", {}, h("h3", {}, say("case-money.list")), h("label", {}, this.all, say("case-money.list.all"))),
        this.cases),
      this.view.element);
    this.tools = document.getElementById("money-tools");
  }

  /** Read the lists anew, and the chosen case. */
  async read() {
    try {
      const [mains, waiting, found, cases] = await Promise.all([
        ask("GET", `${PATH}/mains`), ask("GET", `${PATH}/unclaimed`), ask("GET", `${PATH}/discrepancies`),
        ask("GET", `${PATH}?open_only=${!this.all.checked}&limit=500`),
      ]);
      this.mains = mains.items;
      this.list = cases.items;
      this.showFacts();
      // What is as it was stays, with the focus in it.
      if (this.isNew("waiting", waiting)) this.showWaiting(waiting);
      if (this.isNew("discrepancies", found.items)) this.showDiscrepancies(found.items);
      if (this.isNew("cases", cases.items)) this.showCases();
      if (this.chosen) await this.choose(this.chosen);
    } catch (problem) {
      this.tell(problem);
    }
  }

  isNew(name, items) {
    const text = JSON.stringify(items);
    const isOther = this.seen[name] !== text;
    this.seen[name] = text;
    return isOther;
  }

  async choose(caseId) {
    this.chosen = caseId;
    this.mark();
    try {
      const found = await ask("GET", `${PATH}/cases/${encodeURIComponent(caseId)}`);
      if (this.chosen === caseId) this.view.show(found);
    } catch (problem) {
      this.tell(problem);
    }
  }

  /** Do it, tell what came of it, show how things stand then. */
  async perform(what, words = "") {
    try {
      const done = await what();
      if (done === null || done === false) return;
      write(this.news, typeof done === "string" ? done : words);
    } catch (problem) {
      this.tell(problem);
      return;
    }
    await this.read();
  }

  tell(problem) {
    if (problem.status === 401) toSignIn("not-signed-in");
    else write(this.news, problem.words ?? String(problem));
  }

  showFacts() {
    const sum = (name) => this.mains.reduce((total, main) => total + main[name], 0);
    const overdue = this.list.filter((line) => [line.payout, line.fee_refund].some((one) => one.state === "overdue")).length;
    const unknown = this.list.reduce((total, line) => total + line.unknown_payments, 0);
    const read = this.mains.map((main) => main.read_at).filter(Boolean).sort().at(0);
    const fact = (name, value) => [h("dt", {}, say(`case-money.main.${name}`)), h("dd", { dataset: { fact: name } }, value)];
    this.facts.replaceChildren(...this.mains.length ? [
      fact("balance", money(sum("balance_cents"))),
      fact("unclaimed", money(sum("unclaimed_cents"))),
      fact("overdue", overdue ? stateMark("critical", String(overdue)) : "0"),
      fact("unknown", unknown ? stateMark("serious", String(unknown)) : "0"),
      fact("read", read ? minute(read) : say("case-money.main.never")),
    ].flat() : [h("dt", {}, say("case-money.no-main"))]);
    this.tools.replaceChildren(...this.toolsNow());
  }

  /** The main account of the reader's own court: others' are looked at only. */
  ownMain() {
    return this.mains.find((main) => main.court_id === person().court_id);
  }

  isOwn(item) {
    return item.main_id === this.ownMain()?.id;
  }

  /** The buttons of something that lies in a main account, or why there are none. */
  deedsOf(item, permission, deeds) {
    if (!this.may(permission)) return false;
    return this.isOwn(item) ? deeds() : h("small", {}, this.ofOthers.refusal);
  }

  toolsNow() {
    const own = this.ownMain();
    const refresh = () => this.perform(async () => {
      const read = await ask("POST", `${PATH}/mains/${own.court_id}/refresh`);
      return say("case-money.main.refreshed", { count: read.arrivals });
    });
    return [
      !own && this.may("approve_case_money") && deed("main.open", () => this.perform(() => openMain()), ".primary"),
      own && this.may("handle_case_money") && deed("main.refresh", refresh),
      this.mains.length > 0 && deed("main.report", () => { this.chosen = null; this.mark(); showReport(this.view.element, this.mains, () => this.view.clear()); }),
    ].filter(Boolean);
  }

  /** What left and isn't what was ordered stands above all else until somebody has explained it. */
  showDiscrepancies(items) {
    const rows = items.map((one) => h("tr", { dataset: { discrepancy: one.id } },
      h("td", {}, minute(one.moved_at), h("small", {}, one.bank_serial)),
      h("td", {}, stateMark(one.code === "serial-differs" ? "serious" : "critical", say(`case-money.discrepancy.${one.code}`)), h("small", {}, one.order_number || "–")),
      h("td.money-amount", {}, money(-one.bank_cents), one.order_number && h("small", {}, say("case-money.discrepancy.ordered", { amount: money(-one.ordered_cents) }))),
      h("td.money-deeds", {}, one.case_id && h("button", { type: "button", onclick: () => this.choose(one.case_id) }, say("case-money.column.case")),
        this.deedsOf(one, "approve_case_money", () => deed("close", () => this.perform(() => withReason("close", `discrepancies/${one.id}`), say("case-money.close.done")))))));
    this.discrepancies.replaceChildren(...items.length ? [h("h3", {}, say("case-money.discrepancies")), table([[say("case-money.payment.number")], [""], [say("case-money.amount"), "money-amount"], [""]], rows)] : []);
  }

  showWaiting({ items, proposals, payments, returned, returned_before: before, people }) {
    const heads = [[say("case-money.arrived")], [say("case-money.payer")], [say("case-money.amount"), "money-amount"], [""]];
    const rows = items.map((item) => h("tr", { dataset: { arrival: item.id } },
      h("td", {}, minute(item.arrived_at), h("small", {}, item.bank_serial)),
      h("td", {}, item.payer_name, " ", item.payer_account, h("small", {}, item.remark || "–")),
      amountCell(item.cents),
      h("td.money-deeds", {}, this.deedsOf(item, "handle_case_money", () => [
        deed("claim", () => this.perform(() => claimArrival(item), say("case-money.claim.done"))),
        deed("return", () => this.perform(() => withReason("return", `arrivals/${item.id}`), say("case-money.propose.done")))]))));
    const view = { people, names: new Map() };
    const isOpen = this.waiting.querySelector(".money-returned")?.open ?? false;
    this.waiting.replaceChildren(h("h3", {}, say("case-money.unclaimed")),
      items.length ? table(heads, rows) : none("unclaimed"),
      ...[this.ofNoCase, this.ofOthers].flatMap((drawn) => {
        const isDrawn = (one) => this.isOwn(one) === (drawn === this.ofNoCase);
        const [proposed, ordered] = [proposals.filter(isDrawn), payments.filter(isDrawn)];
        return [
          drawn.refusal && proposed.length + ordered.length > 0 && h("p.money-hint", {}, drawn.refusal),
          ...proposed.map((one) => drawn.proposal(view, one)),
          ordered.length > 0 && drawn.payments(ordered),
        ].filter(Boolean);
      }),
      ...(returned.length ? [returnedOf(returned, before, people, isOpen)] : []));
  }

  showCases() {
    const heads = ["case", "received", "open", "due"].map((name) => [say(`case-money.column.${name}`), `money-column-${name}`]);
    this.cases.replaceChildren(this.list.length ? table(heads, this.list.map((line) => this.row(line))) : none("list"));
    this.mark();
  }

  row(line) {
    const choose = () => this.choose(line.case_id);
    const { places } = line;
    return h("tr", {
      tabindex: 0, dataset: { case: line.case_id }, onclick: choose,
      onkeydown: (event) => { if (event.key === "Enter") choose(); },
    },
    h("td", {}, line.case_number, h("small", {}, line.debtors.join(say("asset.list.separator")))),
    h("td.money-amount", {}, money(places.received_cents), h("small", {}, money(places.paid_cents + places.refunded_cents + places.fees_cents))),
    h("td.money-amount", {}, money(places.undistributed_cents + places.prepaid_cents + places.paying_cents), h("small", {}, money(places.held_cents))),
    h("td", {}, marksOf(line)));
  }

  mark() {
    for (const row of this.cases.querySelectorAll("tr[data-case]")) {
      row.setAttribute("aria-selected", String(row.dataset.case === this.chosen));
    }
  }
}

/** What went back to its payers, and by whose word: the newest, and how many there are besides. */
function returnedOf(items, before, people, isOpen) {
  const heads = [[say("case-money.returned.at")], [say("case-money.payer")], [say("case-money.amount"), "money-amount"]];
  const name = (id) => people[id] ?? "–";
  const rows = items.map((one) => h("tr", { dataset: { returned: one.id } },
    h("td", {}, one.paid_at ? minute(one.paid_at) : "–", h("small", {}, one.bank_serial)),
    h("td", {}, `${one.payer_name} ${one.payer_account}`, h("small", {}, `${one.arrival_serial} · ${one.note}`),
      h("small", {}, say("case-money.proposed-by", { name: name(one.proposed_by), at: minute(one.proposed_at) })),
      one.approved_by && h("small", {}, say("case-money.decided-by", { name: name(one.approved_by), at: minute(one.approved_at) }))),
    amountCell(one.cents)));
  return h("details.money-returned", { open: isOpen }, h("summary", {}, say("case-money.returned", { count: items.length + before })),
    table(heads, rows), before > 0 && h("p.money-hint", {}, say("case-money.returned.before", { count: before })));
}

/** What of a case wants somebody's eye, the worst first. */
function marksOf(line) {
  return [
    deadlineMark(line.payout),
    line.fee_refund.state !== "none" && h("small", {}, say("case-money.due.fee"), " ", deadlineMark(line.fee_refund)),
    line.unknown_payments > 0 && h("small", {}, stateMark("serious", say("case-money.main.unknown"))),
    line.waiting_proposals > 0 && h("small", {}, stateMark("caution", say("case-money.state.proposed"))),
  ];
}
