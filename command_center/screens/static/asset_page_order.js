// The dialog of an order: what it is about, its ruling, amount and term, and how it covers the claim, before it is sent.

import { showDialog } from "./dialog.js";
import { h } from "./dom.js";
import { actionName, coded, figure, gatewayName, money } from "./asset_words.js";
import { FIRST, lastDay, LONGEST_YEARS, nextDay, previewOf, send, WITH_TERM } from "./asset_page_actions.js";
import { toSignIn } from "./live.js";
import { cents } from "./money.js";
import { say } from "./words.js";

const PAUSE_MS = 300;

/** Ask for an order; answers the request that was made of it, or null where the judge thought better of it. */
export function askOrder(allowed, row, summary, controls) {
  return new Promise((resolve) => {
    const order = new Order(allowed, row, summary, controls);
    showDialog(order.dialog, () => resolve(order.answer));
    order.first.focus();
    order.preview();
  });
}

class Order {
  constructor(allowed, row, summary, controls) {
    Object.assign(this, { allowed, row, summary, controls, answer: null, key: crypto.randomUUID(), override: allowed.override });
    this.action = allowed.action;
    this.isMoney = row.asset.kind === "bank_account";
    this.ruling = h("input", { name: "ruling", required: true, maxlength: 64, value: summary.ruling_number, placeholder: say("asset.order.ruling.placeholder"), autocomplete: "off" });
    this.amount = this.amountField();
    this.years = WITH_TERM.has(this.action) ? this.yearsField() : null;
    this.recipient = this.action === "transfer" && !this.isMoney ? h("input", { name: "recipient", maxlength: 200, autocomplete: "off" }) : null;
    this.term = h("small");
    this.cover = h("div.asset-cover", { "aria-live": "polite", hidden: !FIRST.has(this.action) });
    this.reason = h("textarea", { name: "override", rows: 2, maxlength: 500 });
    this.emergency = h("textarea", { name: "emergency", rows: 2, maxlength: 500, "aria-label": say("asset.order.emergency.reason"), oninput: () => this.nameSending() });
    this.guarded = h("div.asset-guarded", { hidden: true });
    this.news = h("p.asset-news", { role: "alert" });
    this.go = h("button.primary", { type: "submit" }, say("asset.order.confirm", { action: this.called }));
    const leave = h("button", { type: "button", onclick: () => this.dialog.close() }, say("asset.order.cancel"));
    const form = h("form", { novalidate: true },
      field(say("asset.order.ruling"), this.ruling),
      this.amount && field(say(`asset.order.amount.${this.action}`), this.amount, this.whole),
      this.years && field(say("asset.order.term"), this.years, this.term),
      this.recipient && field(say("asset.order.recipient"), this.recipient),
      this.cover, this.guarded, this.news,
      h("div.asset-dialog-deeds", {}, leave, this.go));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    // Another order than the one before, should that have been taken without a word.
    form.addEventListener("input", () => { this.key = crypto.randomUUID(); });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.isComposing) event.preventDefault();
    });
    this.dialog = h("dialog.asset-dialog", { "aria-labelledby": "asset-dialog-title" },
      h("h2", { id: "asset-dialog-title" }, this.called), this.facts(), form);
    this.drawTerm();
    this.drawGuard();
  }

  get called() {
    return actionName(this.action, this.row.asset.kind);
  }

  /** Where to begin: at what isn't filled in, else at the sending. */
  get first() {
    return [this.ruling, this.amount, this.recipient].find((one) => one && !one.value && !one.disabled) ?? this.go;
  }

  amountField() {
    const isAsked = this.isMoney && ["freeze", "freeze_and_transfer", "withdraw_income", "part_release", "transfer"].includes(this.action);
    if (!isAsked) return null;
    const amount = h("input.asset-amount", { name: "amount", inputmode: "decimal", autocomplete: "off" });
    amount.addEventListener("input", () => {
      this.isWritten = true;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.preview(), PAUSE_MS);
    });
    if (this.action === "transfer") amount.value = figure(this.controls.measure?.controlled_cents ?? 0);
    if (FIRST.has(this.action)) amount.value = figure(this.wanted(this.summary.head.claim_cents - this.summary.controlled_cents));
    if (["freeze", "freeze_and_transfer"].includes(this.action)) {
      const box = h("input", { type: "checkbox", name: "whole" });
      box.addEventListener("change", () => {
        amount.disabled = box.checked;
        this.preview();
      });
      this.whole = h("label.asset-check", {}, box, say(`asset.order.whole.${this.action}`));
    }
    return amount;
  }

  yearsField() {
    const longest = LONGEST_YEARS[this.row.asset.kind];
    const options = Array.from({ length: longest }, (_, place) => longest - place);
    return h("select", { name: "years", onchange: () => this.drawTerm() }, options.map((years) => h("option", { value: years }, say("asset.order.years", { years }))));
  }

  /** What isn't covered yet, as far as the account has it. */
  wanted(missing) {
    const open = Math.max(0, missing);
    const { available_cents: available } = this.row.asset;
    return available === null || available === 0 ? open : Math.min(open, available);
  }

  facts() {
    const { asset, person, case_number: number } = this.row;
    const { measure } = this.controls;
    const told = [
      ["case", number],
      ["person", person],
      ["asset", `${say(`asset.kind.${asset.kind}`)} ${asset.reference} ${asset.description}`],
      ["gateway", gatewayName(asset.gateway)],
    ];
    if (!FIRST.has(this.action) && measure?.ends_on) told.push(["term", say("asset.term.span", { start: measure.starts_on ?? "—", end: measure.ends_on })]);
    if (!FIRST.has(this.action) && this.isMoney) told.push(["controlled", money(measure?.controlled_cents)]);
    return h("dl.asset-facts", {}, told.map(([name, value]) => [h("dt", {}, say(`asset.fact.${name}`)), h("dd", {}, value)]));
  }

  /** The term that is ordered, with the rule by which its last day is counted. */
  drawTerm() {
    if (!this.years) return;
    const start = this.action === "renew" ? nextDay(this.controls.measure.ends_on) : this.summary.today;
    const rule = say(`asset.term-rule.${this.action === "renew" ? "renewed" : "first"}`);
    this.term.textContent = `${say("asset.term.span", { start, end: lastDay(start, Number(this.years.value)) })} · ${rule}`;
  }

  /** What stands against it, and that a second person is asked; of what can be taken back, that it may go before. */
  drawGuard() {
    const needsReason = this.override !== "";
    const needsApproval = needsReason || this.allowed.needs_approval;
    this.guarded.hidden = !needsApproval;
    this.nameSending();
    this.guarded.replaceChildren(...[
      needsReason && h("p.state-serious", { role: "alert" }, say("asset.order.override", { why: coded("asset.override", this.override) })),
      needsReason && field(say("asset.order.override.reason"), this.reason),
      needsApproval && h("p", {}, say("asset.order.approval")),
      needsApproval && this.allowed.is_urgent && h("details", {}, h("summary", {}, say("asset.order.emergency")), this.emergency),
    ].filter(Boolean));
  }

  /** What the button does: send it, or lay it before the second person. */
  nameSending() {
    const waits = !this.guarded.hidden && !this.emergency.value.trim();
    this.go.textContent = say(waits ? "asset.order.submit" : "asset.order.confirm", { action: this.called });
  }

  /** Hold the order against the claim; whoever wrote no amount is given what isn't covered yet. */
  async preview() {
    if (!FIRST.has(this.action)) return;
    const isWhole = this.amount?.disabled ?? true;
    const wanted = isWhole ? null : cents(this.amount.value);
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const found = await previewOf(this.row.asset.id, wanted);
      if (turn !== this.turn) return;
      const { cover } = found;
      if (this.amount && !this.isWritten && !isWhole) {
        const missing = this.wanted(cover.claim_cents - cover.covered_cents - cover.intended_cents);
        if (missing > 0 && missing !== wanted) {
          this.amount.value = figure(missing);
          return void this.preview();
        }
      }
      this.override = this.allowed.override || (found.is_over_limit ? "over-limit" : "");
      this.drawCover(found);
      this.drawGuard();
    } catch (problem) {
      if (problem.status === 401) toSignIn("not-signed-in");
      this.cover.replaceChildren(h("p", {}, say("asset.cover.unread", { why: problem.words ?? String(problem) })));
    }
  }

  drawCover({ cover, added_cents: added, is_valued: isValued, will_wait: willWait, limit_cents: limit, is_over_limit: isOver }) {
    const share = (amount) => `${Math.min(100, cover.claim_cents ? (100 * amount) / cover.claim_cents : 0).toFixed(2)}%`;
    const before = cover.covered_cents + cover.intended_cents;
    this.cover.replaceChildren(...[
      h("div.asset-cover-bar", { role: "img", "aria-label": say("asset.cover.bar", { covered: money(before), added: money(added), claim: money(cover.claim_cents) }) },
        h("i.is-covered", { style: `width:${share(cover.covered_cents)}` }), h("i.is-intended", { style: `width:${share(cover.intended_cents)}` }), h(`i.is-added${isOver ? ".is-over" : ""}`, { style: `width:${share(added)}` })),
      h("p", {}, say("asset.cover.words", { covered: figure(cover.covered_cents), added: figure(added), claim: figure(cover.claim_cents) })),
      cover.intended_cents > 0 && h("p", {}, say("asset.cover.intended", { intended: figure(cover.intended_cents) })),
      willWait && h("p.state-standby", {}, say("asset.cover.waits")),
      !isValued && !willWait && h("p", {}, say("asset.cover.unvalued")),
      isOver && h("p.state-serious", {}, say("asset.cover.over", { limit: figure(limit) })),
    ].filter(Boolean));
  }

  async submit() {
    this.news.textContent = "";
    const values = { ruling: this.ruling.value.trim(), years: Number(this.years?.value ?? 0), override: this.override ? this.reason.value.trim() : "", emergency: this.guarded.hidden ? "" : this.emergency.value.trim(), recipient: this.recipient?.value.trim() };
    if (!values.ruling) return this.complain(say("asset.bad.ruling-missing"), this.ruling);
    if (this.amount && !this.amount.disabled) {
      values.cents = cents(this.amount.value);
      if (!values.cents) return this.complain(say("asset.bad.amount"), this.amount);
    }
    if (this.recipient && !values.recipient) return this.complain(say("asset.bad.recipient"), this.recipient);
    if (this.override && !values.override) return this.complain(say("error.override-needed"), this.reason);
    this.go.disabled = true;
    try {
      this.answer = await send({ action: this.action, assetId: this.row.asset.id, measureId: this.allowed.measure_id, values, key: this.key });
      this.dialog.close();
    } catch (problem) {
      if (problem.status === 401) toSignIn("not-signed-in");
      if (problem.code === "override-needed") {
        this.override = problem.parameters.why ?? "over-limit";
        this.drawGuard();
      }
      this.go.disabled = false;
      this.complain(refusal(problem), problem.code === "override-needed" ? this.reason : this.go);
    }
    return undefined;
  }

  complain(words, place) {
    this.news.textContent = words;
    place.focus();
  }
}

function field(words, control, beside = null) {
  return h("div.asset-field", {}, h("label", {}, words, control), beside);
}

/** Why an order wasn't taken. Where nobody answered it may have been taken all the same: sent again it stays one. */
export function refusal(problem) {
  if (problem.status === 0) return say("asset.order.unreachable");
  if (problem.code === "bad-format") return coded("asset.bad", problem.parameters.item);
  return problem.words ?? String(problem);
}
