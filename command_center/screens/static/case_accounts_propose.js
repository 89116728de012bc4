// Computing a distribution and proposing it: what it comes to stands there before anything is sent.

import { figures } from "./case_accounts_figures.js";
import { deed, part } from "./case_accounts_words.js";
import { h, write } from "./dom.js";
import { ask } from "./net.js";
import { say } from "./words.js";

const PATH = "/api/assets/accounts";

export class Proposing {
  constructor(page) {
    this.page = page;
    this.caseId = null;
  }

  isOpenFor(caseId) {
    return this.caseId === caseId && this.place?.isConnected === true;
  }

  /** Compute, and show it at the top of the account's page. */
  async open(view, element) {
    this.view = view;
    this.caseId = view.account.line.case_id;
    this.key = crypto.randomUUID();
    this.holds = new Map();
    this.ranks = new Map();
    this.day = h("input", { type: "date", name: "as_of", onchange: () => this.compute() });
    this.news = h("p.field-news", { role: "alert" });
    this.sheet = h("div");
    this.place = part("figures", [h("label.money-day", {}, say("case-money.compute.as-of"), this.day), this.sheet, this.news]);
    this.place.classList.add("money-computing");
    element.querySelector(".money-body").prepend(this.place);
    element.querySelector(".money-body").scrollTop = 0;
    await this.compute();
  }

  async compute() {
    try {
      const content = await ask("POST", `${PATH}/cases/${this.caseId}/preview`, this.wanted());
      this.day.value ||= content.as_of;
      this.show(content);
    } catch (problem) {
      write(this.news, problem.words ?? String(problem));
    }
  }

  show(content) {
    write(this.news, "");
    const reasons = this.reasons();
    this.holds.clear();
    const hold = (claim) => {
      const input = h("input", { type: "text", maxlength: 200, name: "hold", placeholder: say("case-money.figures.hold"), "aria-label": say("case-money.figures.hold") });
      input.value = reasons[claim.claim_id] ?? "";
      this.holds.set(claim.claim_id, input);
      return input;
    };
    // Among claims that come first a lower rank is satisfied first; equal ranks share in proportion.
    const rank = (claim) => h("label.money-day", {}, say("case-money.figures.rank"), h("input", {
      type: "number", name: "rank", min: 0, max: 1000, step: 1, value: claim.rank,
      onchange: ({ target }) => {
        if (!target.reportValidity()) return;
        this.ranks.set(claim.claim_id, target.valueAsNumber || 0);
        this.compute();
      },
    }));
    const debtors = this.view.account.persons.filter((one) => one.role === "under_enforcement");
    this.rest = content.rest_cents > 0 ? h("select", { name: "rest" }, debtors.map((one) => h("option", { value: one.id }, `${one.name} ${one.payee_account || say("case-money.payee.none")}`))) : null;
    this.sheet.replaceChildren(
      figures(content, this.view.names, { hold, rank }),
      ...(this.rest ? [h("label.money-day", {}, say("case-money.figures.rest.to"), this.rest)] : []),
      h("div.money-deeds", {},
        h("button", { type: "button", onclick: () => this.close() }, say("reason.leave")),
        deed("propose", () => this.propose(), ".primary")));
  }

  /** For which day, and in which order claims that come first stand among themselves. */
  wanted() {
    return { as_of: this.day.value || null, ranks: Object.fromEntries(this.ranks) };
  }

  /** Why which claim's share is to be held. */
  reasons() {
    return Object.fromEntries([...this.holds].map(([claim, input]) => [claim, input.value.trim()]).filter(([, reason]) => reason));
  }

  close() {
    this.caseId = null;
    this.place.remove();
  }

  async propose() {
    const body = { ...this.wanted(), holds: this.reasons(), rest_person_id: this.rest?.value ?? null, idempotency_key: this.key };
    try {
      await ask("POST", `${PATH}/cases/${this.caseId}/distributions`, body);
    } catch (problem) {
      this.key = crypto.randomUUID();
      write(this.news, problem.words ?? String(problem));
      return;
    }
    this.close();
    await this.page.perform(() => true, say("case-money.propose.done"));
  }
}
