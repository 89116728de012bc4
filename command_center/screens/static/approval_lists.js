// The three lists of the second person's page: what waits, what is objected to, what is overdue.

import { coded, gatewayName, instant, money } from "./asset_words.js";
import { h, stateMark } from "./dom.js";
import { say } from "./words.js";

export class List {
  constructor(name, place, choose) {
    this.name = name;
    this.choose = choose;
    this.items = [];
    this.chosen = null;
    this.count = h("span.approval-count");
    this.rows = h("ul", { tabindex: -1 });
    place.replaceChildren(h("div.panel-head", {}, h("h2", {}, say(`approval.${name}`)), this.count), this.rows);
  }

  static idOf(item) {
    return item.id ?? item.request.id;
  }

  show(items, hasMore) {
    this.items = items;
    this.count.textContent = say(hasMore ? "approval.count.more" : "approval.count", { count: items.length });
    this.rows.replaceChildren(...(items.length ? items.map((item) => this.row(item)) : [h("li.approval-none", {}, say(`approval.${this.name}.none`))]));
    this.mark(this.chosen);
  }

  mark(id) {
    this.chosen = id;
    for (const row of this.rows.children) {
      const button = row.querySelector("button");
      if (button) button.setAttribute("aria-current", String(row.dataset.id === id));
    }
  }

  row(item) {
    const { request } = item;
    return h("li", { dataset: { id: List.idOf(item) } },
      h("button", { type: "button", onclick: () => this.choose(item) },
        h("span.approval-row-head", {}, h("b", {}, coded("asset.action", request.action)),
          request.amount_cents !== null && h("span.approval-amount", {}, money(request.amount_cents))),
        h("span.approval-row-case", {}, item.case_number, " · ", who(item)),
        h("span.approval-row-foot", {}, stateOf(this.name, item), h("time", {}, instant(timeOf(this.name, item))))));
  }
}

const who = (item) => [item.person_name, gatewayName(item.request.gateway)].filter(Boolean).join(" · ");

function timeOf(name, item) {
  if (name === "objections") return item.raised_at;
  return name === "overdue" ? item.request.sent_at : item.request.created_at;
}

/** How pressing it is, as shape and word. */
export function stateOf(name, item) {
  if (name === "objections") {
    return item.is_overdue
      ? stateMark("critical", say("approval.objection.overdue", { day: item.due_on }))
      : stateMark("serious", say("approval.objection.due", { day: item.due_on }));
  }
  if (name === "overdue") return stateMark("serious", say("approval.overdue.chased", { count: item.request.chases }));
  if (item.is_outstanding) return stateMark("serious", say("approval.outstanding"));
  return stateMark("standby", coded("approval.ground", item.request.approval));
}
