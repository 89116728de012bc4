// Credit sanctions: the list with its filters, and of the chosen one everything.

import { h, stateMark, write } from "./dom.js";
import { live, toSignIn } from "./live.js";
import { ask } from "./net.js";
import { person } from "./person.js";
import { SanctionDetail } from "./sanction_detail.js";
import { propose } from "./sanction_propose.js";
import { STATES, clockOf, isLive, stateOf, termOf } from "./sanction_words.js";
import { say } from "./words.js";

const PAGE = 50;
const GATHER_MS = 1000;
const MOST_COUNTED = 200;
const COLUMNS = ["state", "person", "case", "ground", "term"];

export async function mount(body) {
  const page = new Sanctions(body);
  await page.read();
  const wanted = new URLSearchParams(location.search).get("id");
  if (wanted) await page.choose(wanted);
  live.on("assets", () => page.refresh());
}

class Sanctions {
  constructor(body) {
    this.rows = h("tbody");
    this.news = h("p.sanctions-news", { role: "status" });
    this.more = h("button", { type: "button", onclick: () => this.read(this.next) }, say("sanction.more"));
    this.overdue = h("span.sanctions-count", { role: "status" });
    this.form = filters(() => this.read(), this.overdue);
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
    const query = wanted(this.form);
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
      await this.count();
    } catch (problem) {
      this.tell(problem);
    }
  }

  /** Somebody did something: several changes at once are read once. */
  refresh() {
    this.refreshing ??= setTimeout(() => {
      this.refreshing = null;
      this.readAgain();
    }, GATHER_MS);
  }

  /** Read anew what is shown, as long as no further page was asked for. */
  async readAgain() {
    if (this.rows.childElementCount > PAGE) return;
    await this.read();
    if (this.chosen && !document.querySelector("dialog[open]")) await this.choose(this.chosen);
  }

  /** How many have to be deleted and weren't in time, whatever the filter. */
  async count() {
    const { items } = await ask("GET", `/api/assets/sanctions?overdue=true&limit=${MOST_COUNTED}`);
    const key = items.length < MOST_COUNTED ? "sanction.overdue" : "sanction.overdue.more";
    this.overdue.replaceChildren(...(items.length ? [stateMark("critical", say(key, { count: items.length }))] : []));
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
    h("td", {}, line.clock ? clockOf(line.clock, isLive(line.state)) : termOf(line),
      line.may_be_performed && stateMark("serious", say("sanction.may-be-performed"))));
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

const TODO = { decide_sanction: ["proposed", "under_review"], propose_sanction: ["decided", "served"] };

/** What the filter asks for; what waits for the reader depends on what they may do. */
function wanted(form) {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    const states = value === "todo" ? myStates() : [value];
    for (const one of states) if (one) query.append(name, one);
  }
  return query;
}

const myStates = () => Object.entries(TODO).flatMap(([permission, states]) => (person().permissions.includes(permission) ? states : []));

function filters(read, overdue) {
  const choice = (name, options) => h("label", {}, say(`sanction.filter.${name}`),
    h("select", { name }, h("option", { value: "" }, say("sanction.filter.all")), options.map(([value, words]) => h("option", { value }, words))));
  return h("form.sanctions-filter", { role: "search", onchange: read, onsubmit: (event) => event.preventDefault() },
    choice("state", [...(myStates().length ? [["todo", say("sanction.filter.todo")]] : []), ...STATES.map((state) => [state, say(`sanction.state.${state}`)])]),
    choice("kind", ["listing", "limit"].map((kind) => [kind, say(`sanction.kind.${kind}`)])),
    h("label.sanctions-overdue", {}, h("input", { type: "checkbox", name: "overdue", value: "true" }), say("sanction.filter.overdue")), overdue);
}
