// Instructions on the live page: the most pressing one large with its answers, the accepted ones as lines to finish.

import { refusalReason } from "./sheets.js";
import { onLanguage, say } from "./words.js";

const SEEN_MS = 800; // long enough on a lit screen to be read at a glance
const MOST_LINES = 2;

function button(kind, word, press) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = kind;
  element.textContent = say(word);
  element.addEventListener("click", press);
  return element;
}

export class Cards {
  #instructions;
  #place = document.querySelector("#cards");
  #clock;
  #shown = "";
  #seenTimer = 0;

  constructor(instructions, clockWords) {
    this.#instructions = instructions;
    this.#clock = clockWords;
    instructions.addEventListener("change", () => this.show());
    onLanguage(() => this.show());
    document.addEventListener("visibilitychange", () => this.#look());
  }

  /** Draw what is open. */
  show() {
    const [first, ...more] = this.#instructions.open;
    const parts = [];
    if (first) parts.push(this.#card(first, more.length));
    else parts.push(...this.#instructions.accepted.slice(0, MOST_LINES).map((each) => this.#line(each)));
    this.#place.replaceChildren(...parts);
    this.#shown = first?.delivery_id ?? "";
    this.#look();
  }

  #card(each, more) {
    const card = document.createElement("article");
    card.className = "instruction";
    card.dataset.priority = each.priority;
    card.dataset.state = each.state;
    card.dataset.delivery = each.delivery_id;
    const head = document.createElement("p");
    head.className = "head";
    const mark = document.createElement("b");
    mark.textContent = say(`priority.${each.priority}`);
    const from = document.createElement("span");
    from.textContent = say("instruction.from", { sender: each.sender, number: each.number });
    const time = document.createElement("time");
    time.textContent = this.#clock(each.issued_at);
    head.append(mark, from, time);
    const text = document.createElement("p");
    text.className = "text";
    text.textContent = each.text;
    const answers = document.createElement("div");
    answers.className = "answers";
    answers.append(
      button("refuse", "answer.refuse", () => this.#refuse(each)),
      button("accept", "answer.accept", () => this.#instructions.accept(each.delivery_id)),
    );
    card.append(head, text, answers);
    if (more) {
      const rest = document.createElement("p");
      rest.className = "more";
      rest.textContent = say("instruction.more", { count: more });
      card.append(rest);
    }
    return card;
  }

  #line(each) {
    const line = document.createElement("article");
    line.className = "accepted";
    line.dataset.delivery = each.delivery_id;
    const text = document.createElement("p");
    text.className = "text";
    text.textContent = each.text;
    line.append(text, button("done", "answer.done", () => this.#instructions.done(each.delivery_id)));
    return line;
  }

  async #refuse(each) {
    const reason = await refusalReason(each);
    if (reason) this.#instructions.refuse(each.delivery_id, reason);
  }

  /** The card counts as seen once it stood on a lit screen for a moment. */
  #look() {
    clearTimeout(this.#seenTimer);
    const id = this.#shown;
    if (!id || document.visibilityState !== "visible" || !this.#place.offsetParent) return;
    this.#seenTimer = setTimeout(() => this.#instructions.seen(id), SEEN_MS);
  }
}
