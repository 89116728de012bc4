// The cases at the left: searched by number or by a person's whole name, picked by click or keyboard.

import { h, stateMark } from "./dom.js";
import { ask } from "./net.js";
import { claimMoney, daysLeft, termMark } from "./asset_words.js";
import { day, now } from "./time.js";
import { say } from "./words.js";

const PAUSE_MS = 250;

export class CaseList {
  /** `choose` is called with a case's id; `failed` with the problem of a search that didn't go through. */
  constructor(element, choose, failed) {
    this.choose = choose;
    this.failed = failed;
    this.items = [];
    this.isRead = false;
    this.next = null;
    this.chosenId = null;
    this.search = h("input", { type: "search", id: "asset-case-search", placeholder: say("asset.cases.search"), "aria-label": say("asset.cases.search"), maxlength: 100, autocomplete: "off" });
    this.search.addEventListener("input", (event) => {
      if (!event.isComposing) this.later();
    });
    this.search.addEventListener("compositionend", () => this.later());
    this.list = h("ul.asset-cases", { "aria-label": say("asset.cases") }, h("li.asset-none", {}, say("asset.actions.reading")));
    this.more = h("button.quiet", { type: "button", hidden: true, onclick: () => this.read(this.next) }, say("asset.more"));
    element.replaceChildren(this.search, this.list, this.more);
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.read(), PAUSE_MS);
  }

  /** Read the first page, or the one behind `cursor`. */
  async read(cursor = null) {
    const asked = new URLSearchParams({ text: this.search.value.trim(), limit: "50" });
    if (cursor) asked.set("cursor", cursor);
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const page = await ask("GET", `/api/assets/search/cases?${asked}`);
      if (turn !== this.turn) return;
      this.items = cursor ? [...this.items, ...page.items] : page.items;
      this.next = page.next;
      this.isRead = true;
      this.draw();
    } catch (problem) {
      this.failed(problem);
    }
  }

  mark(caseId) {
    this.chosenId = caseId;
    if (this.isRead) this.draw();
  }

  draw() {
    const today = day(now());
    const rows = this.items.map((one) => h("li", {},
      h("button.asset-case", {
        type: "button", "aria-current": one.head.id === this.chosenId ? "true" : null, onclick: () => this.choose(one.head.id),
        title: one.persons.join("\n"),
      },
      h("b", {}, one.head.number),
      h("span.asset-case-persons", {}, one.persons.join(say("asset.list.separator")) || "—"),
      h("small", {}, claimMoney(one.head.claim_cents), one.is_own && h("span.asset-own", {}, say("asset.cases.own")), this.lapse(one, today)))));
    this.list.replaceChildren(...(rows.length ? rows : [h("li.asset-none", {}, say(this.search.value ? "asset.cases.none-found" : "asset.cases.none"))]));
    this.more.hidden = this.next === null;
  }

  lapse(one, today) {
    if (!one.lapses_on) return null;
    const mark = termMark(daysLeft(one.lapses_on, today));
    const words = say("asset.cases.lapses", { day: one.lapses_on });
    return mark ? stateMark(mark, words) : h("span", {}, words);
  }
}
