// The register of cases: found by number or person, and of the chosen one its file.

import { CaseFile } from "./case_file.js";
import { registerCase } from "./case_entry.js";
import { checkFormats } from "./format_check.js";
import { h, write } from "./dom.js";
import { toSignIn } from "./live.js";
import { money } from "./money.js";
import { ask } from "./net.js";
import { person } from "./person.js";
import { say } from "./words.js";

const PAUSE_MS = 250;

export async function mount(body) {
  const page = new Cases(body);
  await page.read();
  const wanted = new URLSearchParams(location.search).get("id");
  if (wanted) await page.choose(wanted);
}

class Cases {
  constructor(body) {
    this.rows = h("tbody");
    this.news = h("p.cases-news", { role: "status" });
    this.more = h("button", { type: "button", hidden: true, onclick: () => this.read(this.next) }, say("case.more"));
    this.search = h("input", { type: "search", name: "text", maxlength: 100, autocomplete: "off", placeholder: say("case.search.placeholder"), "aria-label": say("case.search"), oninput: () => this.soon() });
    this.file = new CaseFile((file) => this.changed(file), (problem) => this.tell(problem));
    this.chosen = null;
    this.asked = 0;
    const heads = ["number", "persons", "claim"].map((name) => h(`th.case-column-${name}`, { scope: "col" }, say(`case.column.${name}`)));
    body.replaceChildren(
      h("section.panel.cases-list", { "aria-label": say("case.list") },
        h("form.cases-search", { role: "search", onsubmit: (event) => event.preventDefault() }, this.search), this.news,
        h("div.cases-table", {}, h("table", {}, h("thead", {}, h("tr", {}, heads)), this.rows), this.more)),
      this.file.element);
    document.getElementById("cases-tools")?.replaceChildren(...tools(() => this.register()));
  }

  soon() {
    clearTimeout(this.pause);
    this.pause = setTimeout(() => this.read(), PAUSE_MS);
  }

  async read(cursor = null) {
    const mine = ++this.asked;
    const query = new URLSearchParams({ text: this.search.value.trim() });
    if (cursor) query.set("cursor", cursor);
    try {
      const page = await ask("GET", `/api/assets/search/cases?${query}`);
      if (mine !== this.asked) return; // something else was typed meanwhile
      if (!cursor) this.rows.replaceChildren();
      this.rows.append(...page.items.map((one) => this.row(one)));
      this.next = page.next;
      this.more.hidden = !page.next;
      write(this.news, this.rows.childElementCount ? "" : say(this.search.value.trim() ? "case.none.found" : "case.none"));
      this.mark();
    } catch (problem) {
      this.tell(problem);
    }
  }

  row({ head, court_name: court, persons }) {
    const choose = () => this.choose(head.id);
    return h("tr", {
      tabindex: 0, dataset: { case: head.id }, onclick: choose, onkeydown: (event) => { if (event.key === "Enter") choose(); },
    },
    h("td", {}, head.number, h("small", {}, court)), h("td", {}, persons.join(say("asset.list.separator"))),
    h("td.is-number", {}, head.claim_cents ? money(head.claim_cents) : say("asset.claim.none")));
  }

  async choose(id) {
    this.chosen = id;
    this.mark();
    try {
      const file = await ask("GET", `/api/assets/cases/${encodeURIComponent(id)}/file`);
      if (this.chosen === id) this.file.show(file);
    } catch (problem) {
      this.tell(problem);
    }
  }

  mark() {
    for (const row of this.rows.children) row.setAttribute("aria-selected", String(row.dataset.case === this.chosen));
  }

  async register() {
    const file = await registerCase();
    if (file) await this.changed(file);
  }

  async changed(file) {
    this.chosen = file.id;
    this.file.show(file);
    await this.read();
  }

  tell(problem) {
    if (problem.status === 401) toSignIn("not-signed-in");
    else write(this.news, problem.words ?? String(problem));
  }
}

function tools(register) {
  const check = h("button", { type: "button", dataset: { deed: "check-formats" }, onclick: checkFormats }, say("case.check"));
  if (!person().permissions.includes("manage_cases")) return [check];
  return [check, h("button.primary", { type: "button", dataset: { deed: "register" }, onclick: register }, say("case.register"))];
}
