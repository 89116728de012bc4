// Credit sanctions: the list with its filters, and of the chosen one everything.

import { h, write } from "./dom.js";
import { toSignIn } from "./live.js";
import { ask } from "./net.js";
import { person } from "./person.js";
import { SanctionDetail } from "./sanction_detail.js";
import { propose } from "./sanction_propose.js";
import { STATES, clockOf, isLive, stateOf, termOf } from "./sanction_words.js";
import { say } from "./words.js";

const COLUMNS = ["state", "person", "case", "ground", "term"];

export async function mount(body) {
  const page = new Sanctions(body);
  await page.read();
  const wanted = new URLSearchParams(location.search).get("id");
  if (wanted) await page.choose(wanted);
}

class Sanctions {
  constructor(body) {
    this.rows = h("tbody");
    this.news = h("p.sanctions-news", { role: "status" });
    this.more = h("button", { type: "button", onclick: () => this.read(this.next) }, say("sanction.more"));
    this.form = filters(() => this.read());
    this.detail = new SanctionDetail((changed) => this.changed(changed), (error) => this.tell(error));
    this.chosen = null;
    this.asked = 0;
    const heads = COLUMNS.map((name) => h(`th.sanction-column-${name}`, { scope: "col" }, say(`sanction.column.${name}`)));
    body.replaceChildren(
      h("section.panel.sanctions-list", { "aria-label": say("sanction.list") },
        this.form, this.news,
        h("div.sanctions-table", {}, h("table", {}, h("thead", {}, h("tr", {}, heads)), this.rows), this.more)),
      this.detail.element);
    if (person().permissions.includes("propose_sanction")) {
      document.getElementById("sanctions-tools")?.replaceChildren(
        h("button.primary", { type: "button", dataset: { deed: "propose" }, onclick: () => this.propose() }, say("sanction.propose")));
    }
  }

  /** Read the list anew, or on from `cursor`. */
  async read(cursor = null) {
    const mine = ++this.asked;
    const query = new URLSearchParams([...new FormData(this.form)].filter(([, value]) => value));
    if (cursor) query.set("cursor", cursor);
    try {
      const page = await ask("GET", `/api/assets/sanctions?${query}`);
      if (mine !== this.asked) return; // the filter was changed meanwhile
      if (!cursor) this.rows.replaceChildren();
      this.rows.append(...page.items.map((line) => this.row(line)));
      this.next = page.next;
      this.more.hidden = !page.next;
      write(this.news, this.rows.childElementCount ? "" : say(query.size ? "sanction.none.filtered" : "sanction.none"));
      this.mark();
    } catch (problem) {
      this.tell(problem);
    }
  }

  row(line) {
    const choose = () => this.choose(line.id);
    return h("tr", {
      tabindex: 0, dataset: { sanction: line.id, state: line.state, kind: line.kind }, onclick: choose,
      onkeydown: (event) => { if (event.key === "Enter") choose(); },
    },
    h("td", {}, stateOf(line), h("small", {}, say(`sanction.kind.${line.kind}`))),
    h("td", {}, line.person_name, h("small", {}, line.person_number)),
    h("td", {}, line.case_number),
    h("td", {}, line.ground ? say(`sanction.ground.${line.ground}`) : "–"),
    h("td", {}, line.clock ? clockOf(line.clock, isLive(line.state)) : termOf(line)));
  }

  async choose(id) {
    this.chosen = id;
    this.mark();
    try {
      const full = await ask("GET", `/api/assets/sanctions/${encodeURIComponent(id)}`);
      if (this.chosen === id) this.detail.show(full);
    } catch (problem) {
      this.tell(problem);
    }
  }

  mark() {
    for (const row of this.rows.children) row.setAttribute("aria-selected", String(row.dataset.sanction === this.chosen));
  }

  async propose() {
    const made = await propose();
    if (made) await this.changed(made.items[0]);
  }

  async changed(full) {
    this.chosen = full.line.id;
    this.detail.show(full);
    await this.read();
  }

  tell(problem) {
    if (problem.status === 401) toSignIn("not-signed-in");
    else write(this.news, problem.words ?? String(problem));
  }
}

function filters(read) {
  const choice = (name, options) => h("label", {}, say(`sanction.filter.${name}`),
    h("select", { name }, h("option", { value: "" }, say("sanction.filter.all")), options.map(([value, words]) => h("option", { value }, words))));
  return h("form.sanctions-filter", { role: "search", onchange: read, onsubmit: (event) => event.preventDefault() },
    choice("state", STATES.map((state) => [state, say(`sanction.state.${state}`)])),
    choice("kind", ["listing", "limit"].map((kind) => [kind, say(`sanction.kind.${kind}`)])),
    h("label.sanctions-overdue", {}, h("input", { type: "checkbox", name: "overdue", value: "true" }), say("sanction.filter.overdue")));
}
