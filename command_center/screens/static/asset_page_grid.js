// The case's assets as a table: searched, filtered and sorted by the server, walked through by keyboard.

import { h, redraw, stateMark } from "./dom.js";
import { daysLeft, figure, gatewayName, instant, shortInstant, standingMark, termMark, UNSETTLED } from "./asset_words.js";
import { isWriting } from "./keys.js";
import { ask } from "./net.js";
import { say } from "./words.js";

const PAUSE_MS = 250;
const PAGE = 100;
const WITHIN_DAYS = [7, 15, 30, 60];
/** Column → by what the server sorts, and which way first. */
const SORTED = { value: ["value", true], controlled: ["controlled", true], ends: ["lapses", false], answered: ["answered", true] };
const COLUMNS = ["person", "kind", "description", "state", "value", "controlled", "ends", "answered"];
const STATES = ["controlled", "partly", "empty", "unconfirmed", "waiting", "drafted", "intended", "objected", "unsent", "unknown", "not_controlled", "pre_registered", "lapsed", "released", "transferred", "void", "clue", "none"];
const KINDS = ["bank_account", "real_estate", "movable", "other_right"];

export class Grid {
  /** `choose(row)` is called with the row that is picked, `enter()` where somebody wants to act on it. */
  constructor(element, { choose, enter, failed }) {
    Object.assign(this, { choose, enter, failed });
    this.items = [];
    this.next = null;
    this.caseId = null;
    this.chosenId = null;
    this.bare = new Map();
    this.people = new Map();
    this.sort = { order: "found", descending: false };
    this.search = h("input", { type: "search", id: "asset-search", placeholder: say("asset.grid.search"), "aria-label": say("asset.grid.search"), maxlength: 100, autocomplete: "off" });
    this.search.addEventListener("input", (event) => {
      if (!event.isComposing) this.later();
    });
    this.search.addEventListener("compositionend", () => this.later());
    this.filters = {
      standing: this.select("standing", STATES.map((one) => [one, say(`asset.state.${one}`)])),
      kind: this.select("kind", KINDS.map((one) => [one, say(`asset.kind.${one}`)])),
      person_id: this.select("person", []),
      gateway: this.select("gateway", []),
      lapses_within_days: this.select("lapses", WITHIN_DAYS.map((days) => [days, say("asset.grid.within", { days })])),
    };
    this.reset = h("button.quiet", { type: "button", hidden: true, onclick: () => this.clear() }, say("asset.grid.clear"));
    this.count = h("span.asset-count", { role: "status" });
    this.heads = h("tr", {}, COLUMNS.map((name) => this.columnHead(name)));
    this.rows = h("tbody", { onclick: (event) => this.clicked(event), ondblclick: () => this.enter() });
    this.more = h("button", { type: "button", hidden: true, onclick: () => this.read(this.next) }, say("asset.more"));
    this.blank = h("p.asset-blank", {}, say("asset.actions.reading"));
    const table = h("table.asset-table", { role: "grid", "aria-label": say("asset.grid"), onkeydown: (event) => this.key(event) }, h("thead", {}, this.heads), this.rows);
    element.replaceChildren(
      h("div.asset-filters", {}, this.search, Object.values(this.filters), this.reset, this.count),
      h("div.asset-scroll", {}, table, this.blank, this.more),
    );
  }

  select(name, options) {
    const select = h("select", { id: `asset-filter-${name}`, "aria-label": say(`asset.filter.${name}`), onchange: () => this.read() });
    this.fill(select, name, options);
    return select;
  }

  fill(select, name, options) {
    const { value } = select;
    select.replaceChildren(h("option", { value: "" }, say(`asset.filter.${name}`)), ...options.map(([key, words]) => h("option", { value: key }, words)));
    select.value = options.some(([key]) => String(key) === value) ? value : "";
  }

  columnHead(name) {
    const words = say(`asset.column.${name}`);
    const sorting = SORTED[name];
    const content = sorting ? h("button.quiet", { type: "button", onclick: () => this.sortBy(...sorting) }, words) : words;
    return h(`th.asset-column-${name}`, { scope: "col", dataset: { column: name } }, content);
  }

  sortBy(order, first) {
    const isSame = this.sort.order === order;
    if (isSame && this.sort.descending !== first) this.sort = { order: "found", descending: false };
    else this.sort = { order, descending: isSame ? !this.sort.descending : first };
    this.read();
  }

  drawSort() {
    for (const head of this.heads.children) {
      const sorting = SORTED[head.dataset.column];
      const isBy = sorting?.[0] === this.sort.order;
      if (isBy) head.setAttribute("aria-sort", this.sort.descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
  }

  /** Ask for the assets of a case, while its head comes by another way; `open` shows them. */
  begin(caseId) {
    if (caseId !== this.caseId) {
      this.caseId = caseId;
      this.chosenId = null;
      this.filters.person_id.value = "";
      redraw(this.rows, [], () => []);
      this.blank.hidden = false;
      this.blank.textContent = say("asset.actions.reading");
    }
    return this.ask();
  }

  /** Show a case: its persons and gateways in the filters, its assets, which were asked for, in the table. */
  async open(summary, asked) {
    this.summary = summary;
    const persons = summary.persons.filter((one) => one.is_under_enforcement).map((one) => [one.id, one.name]);
    this.fill(this.filters.person_id, "person", persons);
    this.fill(this.filters.gateway, "gateway", summary.gateways.map((name) => [name, gatewayName(name)]));
    this.countStates();
    // Other filters may have been picked meanwhile.
    await this.show(asked.filters === String(this.asked()) ? asked : this.ask());
  }

  countStates() {
    for (const option of this.filters.standing.options) {
      if (!option.value) continue;
      const count = this.summary.standings.filter((one) => one.standing === option.value).reduce((sum, one) => sum + one.assets, 0);
      option.textContent = count ? say("asset.filter.count", { name: say(`asset.state.${option.value}`), count }) : say(`asset.state.${option.value}`);
      option.disabled = count === 0 && option.value !== this.filters.standing.value;
    }
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.read(), PAUSE_MS);
  }

  clear() {
    this.search.value = "";
    for (const select of Object.values(this.filters)) select.value = "";
    this.read();
  }

  asked() {
    const asked = new URLSearchParams({ case_id: this.caseId, order: this.sort.order, descending: String(this.sort.descending), limit: String(PAGE) });
    if (this.search.value.trim()) asked.set("text", this.search.value.trim());
    for (const [name, select] of Object.entries(this.filters)) if (select.value) asked.set(name, select.value);
    return asked;
  }

  get isFiltered() {
    return Boolean(this.search.value.trim()) || Object.values(this.filters).some((select) => select.value);
  }

  /** Read the first page anew, as many rows as are shown, or the page behind `cursor`. */
  async read(cursor = null) {
    if (this.summary?.head.id === this.caseId) await this.show(this.ask(cursor));
  }

  ask(cursor = null) {
    const asked = this.asked();
    const filters = String(asked);
    if (cursor) asked.set("cursor", cursor);
    else asked.set("limit", String(Math.min(500, Math.max(PAGE, this.items.length))));
    const page = ask("GET", `/api/assets/search?${asked}`);
    page.catch(() => {}); // `show` tells it, once it looks
    return { page, filters, cursor, turn: (this.turn = (this.turn ?? 0) + 1) };
  }

  async show({ page: coming, cursor, turn }) {
    try {
      const page = await coming;
      if (turn !== this.turn) return;
      this.items = cursor ? [...this.items, ...page.items] : page.items;
      this.next = page.next;
      this.draw();
      if (this.chosenId && !this.items.some((row) => row.asset.id === this.chosenId)) await this.readChosen();
    } catch (problem) {
      this.failed(problem);
    }
  }

  /** The picked asset, where it isn't among the rows: linked to from elsewhere, or filtered out meanwhile. */
  async readChosen() {
    const { items } = await ask("GET", `/api/assets/search?${new URLSearchParams({ case_id: this.caseId, asset_id: this.chosenId })}`);
    if (items.length > 0) this.choose(items[0]);
  }

  draw() {
    this.drawSort();
    this.reset.hidden = !this.isFiltered;
    this.count.textContent = say(this.next ? "asset.grid.count.more" : "asset.grid.count", { count: this.items.length });
    this.count.title = this.next ? say("asset.grid.more") : "";
    this.more.hidden = this.next === null;
    const focused = this.rows.contains(document.activeElement);
    redraw(this.rows, [this.items, [...this.bare.keys()], this.summary.today], () => this.items.map((row) => this.row(row)));
    this.blank.hidden = this.items.length > 0 || this.next !== null;
    this.blank.textContent = say(this.isFiltered ? "asset.grid.none-found" : "asset.empty");
    const chosen = this.items.find((row) => row.asset.id === this.chosenId);
    if (chosen) {
      this.pick(chosen, { focus: focused });
    } else if (this.items.length > 0) {
      this.rows.firstElementChild.tabIndex = 0;
    }
  }

  row(row) {
    const { asset } = row;
    const bare = this.bare.get(asset.id);
    const who = this.people.get(asset.person_id)?.name ?? row.person;
    const isMoney = asset.kind === "bank_account" || asset.controlled_cents > 0;
    const held = row.measure_id && isMoney && !UNSETTLED.has(asset.standing) ? figure(asset.controlled_cents) : "—";
    const title = bare?.description ?? asset.description;
    const reference = bare?.reference ?? asset.reference;
    return h("tr", { tabindex: -1, "aria-selected": "false", dataset: { asset: asset.id, standing: asset.standing } },
      h("td.asset-column-person", { title: who }, h("span", {}, who)),
      h("td.asset-column-kind", {}, say(`asset.kind.${asset.kind}`)),
      h("td.asset-column-description", { title: `${reference} ${title}` }, h("div", {}, h("span", {}, asset.kind === "real_estate" ? title : `${reference} ${title}`), asset.encumbrances.length > 0 && h("small.asset-taken", { title: say("asset.others.some", { count: asset.encumbrances.length }) }, say("asset.others.mark", { count: asset.encumbrances.length })))),
      h("td.asset-column-state", { title: standingMark(row, this.summary.today)[1] }, stateMark(...standingMark(row, this.summary.today)), row.contradiction && h("small.asset-taken", { title: say(`asset.contradiction.${row.contradiction}`) }, say("asset.contradiction.mark"))),
      h("td.asset-column-value", {}, figure(asset.value_cents)),
      h("td.asset-column-controlled", {}, held),
      h("td.asset-column-ends", {}, this.term(asset)),
      h("td.asset-column-answered", { title: `${gatewayName(asset.gateway)} ${instant(asset.heard_at)}` }, shortInstant(asset.heard_at)));
  }

  term(asset) {
    if (!asset.ends_on || ["released", "transferred", "not_controlled"].includes(asset.standing)) return "—";
    const mark = termMark(daysLeft(asset.ends_on, this.summary.today));
    return mark ? stateMark(mark, asset.ends_on) : asset.ends_on;
  }

  clicked(event) {
    const row = this.items.find((one) => one.asset.id === event.target.closest("tr")?.dataset.asset);
    if (row) this.pick(row, { focus: true });
  }

  pick(row, { focus = false } = {}) {
    this.chosenId = row.asset.id;
    for (const element of this.rows.children) {
      const isIt = element.dataset.asset === row.asset.id;
      element.setAttribute("aria-selected", String(isIt));
      element.tabIndex = isIt ? 0 : -1;
      if (isIt && focus) element.focus();
    }
    this.choose(row);
  }

  /** Back to the row that is picked. */
  focusChosen() {
    this.rows.querySelector('[aria-selected="true"]')?.focus();
  }

  key(event) {
    if (event.isComposing || isWriting(event.target) || event.target.tagName === "BUTTON") return;
    const at = this.items.findIndex((row) => row.asset.id === this.chosenId);
    const last = this.items.length - 1;
    const to = { ArrowDown: Math.min(last, at + 1), ArrowUp: Math.max(0, at - 1), Home: 0, End: last, PageDown: Math.min(last, at + 10), PageUp: Math.max(0, at - 10) }[event.key];
    if (to !== undefined && last >= 0) {
      this.pick(this.items[to], { focus: true });
      event.preventDefault();
    } else if (event.key === "Enter" && at >= 0) {
      this.enter();
      event.preventDefault();
    }
  }
}
