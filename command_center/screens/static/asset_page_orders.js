// The orders about one asset: where each stands, its sealed papers with their verification, and what is to be done about it.

import { showDialog } from "./dialog.js";
import { h, stateMark } from "./dom.js";
import { ask } from "./net.js";
import { coded, instant, money, orderWord, requestMark } from "./asset_words.js";
import { askReason } from "./reason.js";
import { say } from "./words.js";

const AWAITED = ["no_answer"];
const CHECKABLE = ["answered", "returned", "nothing_found"];
const OPEN_AT_ONCE = 1;

export class Orders {
  /** `perform(deed, words)` does something and has the page read anew; `may` says what the reader may do. */
  constructor(perform, may) {
    this.perform = perform;
    this.may = may;
    this.papers = new Map();
    this.opened = new Map();
  }

  /** What is shown of them beside themselves: their papers, and which are opened. */
  get told() {
    return [[...this.papers], [...this.opened]];
  }

  /** What stands in the section, and what comes into it once its papers are read; `redraw` shows it again then. */
  section(orders, redraw) {
    return h("section", { "aria-labelledby": "asset-orders-title" },
      h("h3", { id: "asset-orders-title" }, say("asset.orders")),
      orders.length === 0
        ? h("p.asset-none", {}, say("asset.orders.none"))
        : h("ul.asset-orders", {}, orders.map((one, place) => this.order(one, this.opened.get(one.id) ?? place < OPEN_AT_ONCE, redraw))));
  }

  order(one, isOpen, redraw) {
    const told = [one.ruling_number, one.amount_cents ? money(one.amount_cents) : "", one.sent_at ? instant(one.sent_at) : ""].filter(Boolean);
    if (isOpen) this.read(one, redraw);
    return h("li", { dataset: { order: one.number, state: one.state } },
      h("div.asset-order-head", {},
        h("b", {}, coded("asset.action", one.action)),
        stateMark(requestMark(one.state), orderWord(one.state)),
        h("button.quiet", { type: "button", "aria-expanded": String(isOpen), onclick: () => { this.opened.set(one.id, !isOpen); redraw(); } }, say("asset.papers"))),
      h("small", {}, one.number),
      h("small", {}, told.join(" · ")),
      one.reason && h("small.asset-history-words", {}, one.reason),
      this.deeds(one),
      isOpen && this.paperList(one));
  }

  deeds(one) {
    if (!this.may("control_assets")) return null;
    const deeds = [];
    const press = (path, words) => () => this.perform(() => ask("POST", `/api/assets/requests/${one.id}/${path}`, { idempotency_key: crypto.randomUUID() }), words);
    if (one.state === "draft") deeds.push(["withdraw", press("withdraw", say("asset.told.withdrawn", { number: one.number }))]);
    if (CHECKABLE.includes(one.state)) deeds.push(["check", press("check", say("asset.told.checked", { number: one.number }))]);
    if (AWAITED.includes(one.state)) deeds.push(["retry", () => this.perform(() => ask("POST", `/api/assets/requests/${one.id}/retry`), say("asset.told.asked-again", { number: one.number }))]);
    if (one.state === "objected") deeds.push(["maintain", () => this.answer(one, "maintain")], ["yield", () => this.answer(one, "yield")]);
    return deeds.length > 0 && h("div.asset-order-deeds", {}, deeds.map(([name, onclick]) => h("button", { type: "button", dataset: { deed: name }, onclick }, say(`asset.order.deed.${name}`))));
  }

  /** Answer an objection: the court insists, or takes the order back. */
  async answer(one, how) {
    const answer = await askReason(say(`asset.objection.${how}`), say(`asset.order.deed.${how}`), one.reason);
    if (answer === null) return;
    await this.perform(async () => {
      const { items } = await ask("GET", `/api/assets/objections?case_id=${one.case_id}`);
      const objection = items.find((each) => each.request.id === one.id);
      if (objection) await ask("POST", `/api/assets/objections/${objection.id}/${how}`, { answer, idempotency_key: crypto.randomUUID() });
    }, say("asset.told.objection-answered"));
  }

  async read(one, redraw) {
    const key = `${one.id} ${one.state}`;
    if (this.papers.has(key)) return;
    this.papers.set(key, null);
    try {
      this.papers.set(key, (await ask("GET", `/api/assets/requests/${one.id}/papers`)).items);
    } catch (problem) {
      this.papers.set(key, problem.words);
    }
    redraw();
  }

  paperList(one) {
    const papers = this.papers.get(`${one.id} ${one.state}`);
    if (papers === undefined || papers === null) return h("p.asset-none", {}, say("asset.actions.reading"));
    if (typeof papers === "string") return h("p.asset-none", {}, papers);
    return [
      papers.length === 0 ? h("p.asset-none", {}, say("asset.papers.none")) : h("ul.asset-papers", {}, papers.map(paper)),
      papers.length > 0 && (this.may("control_assets") || this.may("approve_assets")) && h("button.quiet.asset-read-papers", { type: "button", dataset: { deed: "papers" }, title: say("asset.papers.noted"), onclick: () => showPapers(one) }, say("asset.papers.read")),
    ];
  }
}

function paper(one) {
  const isRight = one.trouble === "";
  return h("li", { title: say("asset.papers.hash", { hash: one.sha256, key: one.seal_key_id }) },
    h("span", {}, coded("asset.document", one.document), h("small", {}, one.number)),
    stateMark(isRight ? "normal" : "critical", isRight ? say("asset.papers.right") : say("asset.papers.wrong", { why: coded("asset.papers.trouble", one.trouble) })));
}

/** The papers, whole: what a judge signs is read unmasked, and that it was read is in the audit. */
async function showPapers(one) {
  const close = h("button.primary", { type: "submit" }, say("asset.papers.close"));
  const place = h("div.asset-paper-texts", {}, say("asset.actions.reading"));
  const dialog = h("dialog.asset-dialog.asset-dialog-papers", { "aria-labelledby": "asset-papers-title" },
    h("h2", { id: "asset-papers-title" }, say("asset.papers.title", { number: one.number })), h("p", {}, say("asset.papers.noted")), place,
    h("form", { method: "dialog" }, h("div.asset-dialog-deeds", {}, close)));
  showDialog(dialog);
  close.focus();
  try {
    const { items } = await ask("GET", `/api/assets/requests/${one.id}/papers/text`);
    const masked = items.some((each) => each.is_masked) ? [h("p.asset-none", {}, say("approval.papers.masked"))] : [];
    place.replaceChildren(...masked, ...items.map((each) => h("article", {}, h("h3", {}, coded("asset.document", each.document), h("small", {}, each.number)), h("pre", { tabindex: 0 }, each.content))));
  } catch (problem) {
    place.replaceChildren(h("p", { role: "alert" }, problem.words ?? String(problem)));
  }
}
