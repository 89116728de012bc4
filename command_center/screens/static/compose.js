// The box for a new instruction: to whom, how urgent, what; Enter sends, but not while an input method composes.

import { h, write } from "./dom.js";
import { onKey } from "./keys.js";
import { live } from "./live.js";
import { ask } from "./net.js";
import { onOperation } from "./operation.js";
import { inLanguage, say } from "./words.js";

const MAX_LENGTH = 500;
const PRIORITIES = ["routine", "urgent", "critical"];

export function mountCompose(element) {
  const compose = new Compose(Number(element.dataset.phrases));
  element.append(compose.element);
  onOperation((operation) => compose.takeOperation(operation));
  for (const type of ["snapshot", "feed", "team"]) live.on(type, () => compose.paintTargets());
  addEventListener("command:focus", (event) => (compose.picked = event.detail.feed));
  onKey((event) => {
    if (event.key.toLowerCase() !== "i") return false;
    compose.begin();
    return true;
  });
}

class Compose {
  constructor(phrases) {
    this.operation = null;
    this.picked = null;
    this.attempt = null;
    this.isSending = false;
    this.target = h("select", { id: "target", "aria-label": say("compose.target"), onchange: () => this.paint() });
    this.priority = h("fieldset.priorities", {}, h("legend.visually-hidden", {}, say("compose.priority")), PRIORITIES.map((priority) => h(
      `label.priority.priority-${priority}`, {},
      h("input", { type: "radio", name: "priority", value: priority, checked: priority === "routine" }), say(`priority.${priority}`),
    )));
    this.phrase = h("select.phrases", { "aria-label": say("compose.phrases"), onchange: () => this.takePhrase() }, [
      h("option", { value: "" }, say("compose.phrases")),
      ...Array.from({ length: phrases }, (_, index) => h("option", {}, say(`phrase.${index + 1}`))),
    ]);
    this.text = h("textarea", {
      id: "instruction-text", rows: 2, maxlength: MAX_LENGTH, "aria-label": say("compose.text"), placeholder: say("compose.placeholder"),
      onkeydown: (event) => this.key(event), oninput: () => this.paint(),
    });
    this.button = h("button.primary", { type: "submit" });
    this.news = h("p.compose-news", { role: "status" });
    this.element = h(
      "form.compose",
      { onsubmit: (event) => { event.preventDefault(); this.send(); } },
      h("div.compose-row", {}, this.target, this.priority, this.phrase),
      h("div.compose-row", {}, this.text, this.button),
      this.news,
    );
    this.paint();
  }

  takeOperation(operation) {
    this.operation = operation;
    this.paintTargets();
  }

  /** Everybody, each site, each officer; the choice stays. */
  paintTargets() {
    const chosen = this.target.value;
    const byFeed = live.numbers();
    const numbers = new Map(live.ordered().map((view) => [view.officer_id, byFeed.get(view.feed)]));
    const officers = this.operation?.officers ?? [];
    const sites = this.operation?.sites ?? [];
    this.target.replaceChildren(
      h("option", { value: "all" }, say("target.all")),
      h("optgroup", { label: say("target.sites") }, sites.map((site) => h("option", { value: `site:${site.id}` }, inLanguage(site, "name")))),
      h("optgroup", { label: say("target.officers") }, officers.map((officer) => (
        h("option", { value: `officer:${officer.user_id}` }, [numbers.get(officer.user_id), officer.display_name].filter(Boolean).join(" "))
      ))),
    );
    this.target.value = chosen || "all";
    if (!this.target.value) this.target.value = "all";
    this.paint();
  }

  /** To the box; a tile that is picked makes its officer the target. */
  begin() {
    const view = this.picked && live.feeds.get(this.picked);
    if (view) this.target.value = `officer:${view.officer_id}`;
    this.paint();
    this.text.focus();
  }

  takePhrase() {
    if (this.phrase.value) this.text.value = this.phrase.value;
    this.phrase.selectedIndex = 0;
    this.paint();
    this.text.focus();
  }

  key(event) {
    if (event.key === "Escape") {
      this.text.blur();
      return;
    }
    // 229 is what an input method's own keys carry where isComposing is already false (Safari).
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.send();
  }

  body() {
    const [scope, id] = this.target.value.split(":");
    return {
      operation_id: this.operation.id,
      scope,
      site_id: scope === "site" ? id : null,
      officer_id: scope === "officer" ? id : null,
      priority: this.element.elements.priority.value,
      text: visible(this.text.value),
    };
  }

  async send() {
    if (this.isSending || !this.operation || !visible(this.text.value)) return;
    const body = this.body();
    const content = JSON.stringify(body);
    // The same words after a failure may have arrived the first time: the same key sends nothing twice.
    if (this.attempt?.content !== content) this.attempt = { content, key: crypto.randomUUID() };
    this.isSending = true;
    this.paint(say("compose.sending"));
    try {
      const sent = await ask("POST", "/api/instructions", { ...body, idempotency_key: this.attempt.key });
      if (sent?.type === "instruction") live.emit("sent", sent);
      this.attempt = null;
      this.text.value = "";
      this.element.elements.priority.value = "routine";
      this.isSending = false;
      this.paint("");
    } catch (problem) {
      this.isSending = false;
      this.paint(say("compose.failed", { why: problem.words }), true);
    }
  }

  paint(news = null, isBad = false) {
    const target = this.target.selectedOptions[0]?.textContent ?? "";
    write(this.button, this.isSending ? say("compose.sending") : say("compose.send", { target }));
    this.button.disabled = this.isSending || !this.operation || !this.text.value.trim();
    this.text.readOnly = this.isSending;
    if (news === null) return;
    write(this.news, news);
    this.news.classList.toggle("is-bad", isBad);
  }
}

/** What was written without marks that nobody sees: text copied from elsewhere brings them along, and they turn it around. */
function visible(text) {
  return text.replace(/[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g, "").trim();
}
