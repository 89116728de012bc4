// The dialog of an order: what it is about, its ruling, amount and term, and how it covers the claim, before it is sent.

import { h } from "./dom.js";
import { ask } from "./net.js";
import { cents, coded, figure, gatewayName } from "./asset_words.js";
import { orderOf } from "./asset_page_actions.js";
import { say } from "./words.js";

/** Ask for an order; answers what the server said of it, or null where the judge thought better of it. */
export function askOrder(action, row, summary) {
  return new Promise((resolve) => {
    const order = new Order(action, row, summary);
    order.dialog.addEventListener("close", () => {
      order.dialog.remove();
      resolve(order.answer);
    });
    document.body.append(order.dialog);
    order.dialog.showModal();
    order.first.focus();
  });
}

class Order {
  constructor(action, row, summary) {
    Object.assign(this, { action, row, summary, answer: null });
    this.key = newKey();
    this.ruling = h("input", { name: "ruling", required: true, maxlength: 64, value: summary.ruling_number, placeholder: say("asset.order.ruling.placeholder"), autocomplete: "off" });
    this.amount = action === "freeze" ? h("input", { name: "amount", required: true, inputmode: "decimal", value: figure(this.wanted()), autocomplete: "off", class: "asset-amount" }) : null;
    this.news = h("p.asset-news", { role: "alert" });
    this.send = h("button.primary", { type: "submit", value: "send" }, say("asset.order.confirm", { action: coded("asset.action", action) }));
    this.leave = h("button", { type: "button", onclick: () => this.dialog.close() }, say("asset.order.cancel"));
    const form = h("form", { novalidate: true },
      h("label", {}, say("asset.order.ruling"), this.ruling),
      this.amount && h("label", {}, say("asset.order.amount"), this.amount),
      this.news,
      h("div.asset-dialog-deeds", {}, this.leave, this.send));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.isComposing) event.preventDefault();
    });
    this.dialog = h("dialog.asset-dialog", { "aria-labelledby": "asset-dialog-title" },
      h("h2", { id: "asset-dialog-title" }, say("asset.order.title", { action: coded("asset.action", action) })), this.facts(), form);
  }

  /** Where to begin: at what isn't filled in, else at the sending. */
  get first() {
    if (!this.ruling.value) return this.ruling;
    return this.amount && !this.amount.value ? this.amount : this.send;
  }

  /** What isn't covered yet, as far as the account has it. */
  wanted() {
    const missing = Math.max(0, this.summary.head.claim_cents - this.summary.controlled_cents);
    const { available_cents: available } = this.row.asset;
    return available === null ? missing : Math.min(missing, available) || missing;
  }

  facts() {
    const { asset, person } = this.row;
    const told = [
      ["case", this.row.case_number],
      ["person", person],
      ["asset", `${say(`asset.kind.${asset.kind}`)} ${asset.reference} ${asset.description}`],
      ["gateway", gatewayName(asset.gateway)],
    ];
    return h("dl.asset-facts", {}, told.map(([name, value]) => [h("dt", {}, say(`asset.fact.${name}`)), h("dd", {}, value)]));
  }

  async submit() {
    this.news.textContent = "";
    const values = { key: this.key, ruling: this.ruling.value.trim(), cents: this.amount ? cents(this.amount.value) : null };
    if (!values.ruling) return this.complain(say("asset.bad.ruling-missing"), this.ruling);
    if (this.amount && !values.cents) return this.complain(say("asset.bad.amount"), this.amount);
    this.send.disabled = true;
    try {
      const [address, body] = orderOf(this.action, this.row, values);
      this.answer = await ask("POST", address, body);
      this.dialog.close();
    } catch (problem) {
      this.complain(refusal(problem), this.send);
    } finally {
      this.send.disabled = false;
    }
  }

  complain(words, field) {
    this.news.textContent = words;
    field.focus();
  }
}

/** Why an order wasn't taken. Where nobody answered it may have been taken all the same: sent again it stays one. */
function refusal(problem) {
  if (problem.status === 0) return say("asset.order.unreachable");
  const { item, why } = problem.parameters;
  if (problem.code === "bad-format") return coded("asset.bad", `${item}.${why}`) === `${item}.${why}` ? coded("asset.bad", item) : say(`asset.bad.${item}.${why}`);
  return problem.words;
}

/** A random UUID; browsers give none by themselves on a page without HTTPS. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

