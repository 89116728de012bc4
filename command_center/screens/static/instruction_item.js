// One instruction in the list: what was ordered, and each officer's steps with their times.

import { h, shape, stateMark } from "./dom.js";
import { clock, now, span } from "./time.js";
import { inLanguage, say } from "./words.js";

const PRIORITY_STATES = { routine: "plain", urgent: "serious", critical: "critical" };
const STEPS = ["sent", "delivered", "seen", "answered", "done"];
const OPEN_STATES = new Set(["sent", "delivered", "seen"]);

/** How a delivery is shown: {state, word, since}, `since` being the time of its last step. */
export function judgeDelivery(delivery, deadlineAt, nowMs) {
  if (delivery.state === "refused") return { state: "critical", word: "refused", at: delivery.answered_at };
  if (delivery.state === "done") return { state: "normal", word: "done", at: delivery.done_at };
  if (delivery.state === "accepted") return { state: "normal", word: "accepted", at: delivery.answered_at };
  if (delivery.state === "sent" && !delivery.online) return { state: "serious", word: "offline", waitsSince: delivery.sent_at };
  if (deadlineAt !== null && nowMs > deadlineAt) return { state: "caution", word: "overdue", waitsSince: deadlineAt };
  const at = { sent: delivery.sent_at, delivered: delivery.delivered_at, seen: delivery.seen_at }[delivery.state];
  return { state: "standby", word: delivery.state, at };
}

/** How many of the five steps are behind a delivery. */
export function stepsDone(delivery) {
  return { sent: 1, delivered: 2, seen: 3, accepted: 4, refused: 4, done: 5 }[delivery.state];
}

export class InstructionItem {
  constructor(view) {
    this.isOpen = false;
    this.element = h("li.instruction", { dataset: { number: view.number, id: view.instruction_id } });
    this.update(view);
  }

  update(view) {
    this.view = view;
    this.paint();
  }

  get isWaiting() {
    return this.view.deliveries.some((delivery) => OPEN_STATES.has(delivery.state));
  }

  get counts() {
    const { deliveries } = this.view;
    return {
      undelivered: deliveries.filter((delivery) => delivery.state === "sent" && !delivery.online).length,
      unanswered: deliveries.filter((delivery) => OPEN_STATES.has(delivery.state)).length,
    };
  }

  paint() {
    const { view, element } = this;
    const hadFocus = element.contains(document.activeElement);
    element.dataset.priority = view.priority;
    element.replaceChildren(this.head(), h("p.instruction-text", {}, view.text), this.isOpen ? this.table() : this.chips());
    if (hadFocus) element.querySelector("button").focus();
  }

  head() {
    const { view } = this;
    const answered = view.deliveries.length - this.counts.unanswered;
    const name = say(this.isOpen ? "instructions.close" : "instructions.open", { number: view.number });
    return h(
      "div.instruction-head",
      {},
      h("b.instruction-number", {}, say("instructions.number", { number: view.number })),
      stateMark(PRIORITY_STATES[view.priority], say(`priority.${view.priority}`)),
      h("span.instruction-target", {}, `→ ${view.scope === "all" ? say("target.all") : inLanguage(view, "target")}`),
      h("span.instruction-sender", {}, `${clock(view.issued_at)} ${view.sender}`),
      h("span.instruction-count", { title: say("instructions.answered.title") }, say("instructions.answered", { count: answered, total: view.deliveries.length })),
      h("button.quiet.instruction-open", {
        type: "button", "aria-expanded": String(this.isOpen), "aria-label": name, title: name,
        onclick: () => {
          this.isOpen = !this.isOpen;
          this.paint();
        },
      }, this.isOpen ? "▴" : "▾"),
    );
  }

  chips() {
    const { view } = this;
    return h("ul.deliveries", {}, view.deliveries.map((delivery) => {
      const verdict = judgeDelivery(delivery, view.deadline_at, now());
      const when = verdict.waitsSince ? span(now() - verdict.waitsSince) : verdict.at ? clock(verdict.at) : "";
      return h(
        "li.delivery",
        { dataset: { state: delivery.state, verdict: verdict.word, officer: delivery.officer_id } },
        h("span.delivery-officer", {}, delivery.officer),
        h("span.pips", { "aria-hidden": "true" }, STEPS.map((_, index) => h(index < stepsDone(delivery) ? "i.is-done" : "i"))),
        h(`span.state.state-${verdict.state}`, {}, shape(verdict.state), say(`delivery.${verdict.word}`)),
        h("span.delivery-time", {}, when),
        delivery.reason ? h("span.delivery-reason", {}, delivery.reason) : null,
      );
    }));
  }

  table() {
    const { view } = this;
    const time = (ms) => h("td", {}, ms ? clock(ms) : "–");
    return h(
      "table.delivery-table",
      {},
      h("thead", {}, h("tr", {}, ["officer", ...STEPS, "state"].map((step) => h("th", { scope: "col" }, say(`step.${step}`))))),
      h("tbody", {}, view.deliveries.map((delivery) => {
        const verdict = judgeDelivery(delivery, view.deadline_at, now());
        const words = [say(`delivery.${verdict.word}`), delivery.reason].filter(Boolean).join("：");
        return h(
          "tr",
          { dataset: { officer: delivery.officer_id } },
          h("th", { scope: "row" }, delivery.officer),
          time(delivery.sent_at), time(delivery.delivered_at), time(delivery.seen_at), time(delivery.answered_at), time(delivery.done_at),
          h("td", {}, stateMark(verdict.state, words)),
        );
      })),
    );
  }
}
