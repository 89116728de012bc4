// The judge's asset page: cases at the left with who answered, the case's assets in the middle, the chosen one at the right.

import { h, redraw, stateMark } from "./dom.js";
import { Answers } from "./asset_page_answers.js";
import { CaseList } from "./asset_page_cases.js";
import { draw as drawChart } from "./asset_page_chart.js";
import { chosenAsset } from "./asset_page_chosen.js";
import { Grid } from "./asset_page_grid.js";
import { caseHead } from "./asset_page_head.js";
import { timeLine } from "./asset_page_history.js";
import { controlsOf } from "./asset_page_actions.js";
import { askOrder } from "./asset_page_order.js";
import { Orders } from "./asset_page_orders.js";
import { AWAITED, ENDED } from "./asset_words.js";
import { takeUpProposal } from "./asset_proposal_link.js";
import { onKey } from "./keys.js";
import { live, toSignIn } from "./live.js";
import { ask } from "./net.js";
import { onOperation } from "./operation.js";
import { person } from "./person.js";
import { askReason } from "./reason.js";
import { askSure } from "./sure.js";
import { clock, now } from "./time.js";
import { say } from "./words.js";

const BUSY_MS = 1_500;
const QUIET_MS = 15_000;
const UNMASKED_MS = 120_000;
/** Between two readings while answers pour in: the page is to be worked on, too. */
const REST_MS = 600;

export function mount(body) {
  new AssetPage(body).start();
}

class AssetPage {
  constructor(body) {
    this.body = body;
    this.me = person();
    this.summary = null;
    this.row = null;
    this.bare = null;
    this.readAt = 0;
    const place = (name) => body.querySelector(`#asset-${name}`);
    this.head = place("head");
    this.chosen = place("chosen");
    this.news = document.getElementById("asset-news");
    this.stale = place("stale");
    const failed = (problem) => this.failed(problem);
    this.cases = new CaseList(place("cases"), (id) => this.open(id), failed);
    this.orders = new Orders((deed, words) => this.perform(deed, words), (permission) => this.mayHere(permission));
    this.answers = new Answers(place("answers"), () => this.mayHere("query_assets"), {
      query: (personId, gateways) => this.query(personId, gateways), queryEverybody: () => this.queryEverybody(),
    });
    this.grid = new Grid(place("grid"), { choose: (row) => this.choose(row), enter: () => this.focusActions(), failed });
  }

  may(permission) {
    return this.me.permissions.includes(permission);
  }

  /** The same in the case that is shown: in another court's case one only looks. */
  mayHere(permission) {
    return this.may(permission) && !this.summary?.head.acting_court;
  }

  async start() {
    live.on("assets", () => this.refresh());
    live.on("link", ({ state }) => state === "connected" && this.refresh());
    onKey((event) => this.key(event));
    this.chosen.addEventListener("keydown", (event) => event.key === "Escape" && !event.isComposing && this.grid.focusChosen());
    addEventListener("popstate", () => this.open(this.wanted("case"), { isKept: true }));
    const listed = this.cases.read();
    const operated = this.caseOfOperation();
    await this.followMeasure();
    // What the address names is read beside the list of cases, not behind it.
    const wanted = this.wanted("case") ?? await listed.then(() => this.seen(operated)) ?? this.cases.items[0]?.head.id;
    if (wanted) await this.open(wanted, { isKept: true });
    else this.head.replaceChildren(h("p.asset-blank", {}, say("asset.cases.none"), " ", h("a", { href: "/assets/cases" }, say("asset.nav.cases"))));
    this.again();
  }

  wanted(name) {
    return new URLSearchParams(location.search).get(name);
  }

  /** A link that names a measure means the asset that it is on, and its case. */
  async followMeasure() {
    const measure = this.wanted("measure");
    if (!measure) return;
    try {
      const { items } = await ask("GET", `/api/assets/search?${new URLSearchParams({ measure_id: measure })}`);
      if (items.length > 0) this.keep({ measure: null, case: items[0].case_id, asset: items[0].asset.id });
    } catch (problem) {
      this.failed(problem);
    }
  }

  /** The case of the operation in the header. Who sees no operations isn't kept waiting for one. */
  async caseOfOperation() {
    if (!this.may("see_operations")) return null;
    const operation = await new Promise((resolve) => {
      onOperation(resolve);
      setTimeout(() => resolve(null), 2_000);
    });
    return operation?.case_id ?? null;
  }

  /** The same, where it is one that may be seen here: the list holds the first of very many only. */
  async seen(operated) {
    const id = await operated;
    if (id === null || this.cases.items.some((one) => one.head.id === id)) return id;
    return ask("GET", `/api/assets/search?${new URLSearchParams({ case_id: id, limit: "1" })}`).then(() => id, () => null);
  }

  /** Look again: soon while somebody is waited for, else now and then. */
  again() {
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => {
      if (!document.hidden) await this.refresh();
      this.again();
    }, this.isAwaiting ? BUSY_MS : QUIET_MS);
  }

  get isAwaiting() {
    return Boolean(this.summary?.answers.some((one) => !ENDED.has(one.state)) || this.grid.items.some((row) => AWAITED.has(row.asset.standing)));
  }

  async open(caseId, { isKept = false } = {}) {
    if (!caseId) return;
    this.mask();
    this.row = null;
    this.summary = null;
    this.caseId = caseId;
    if (!isKept) this.keep({ case: caseId, asset: null });
    this.cases.mark(caseId);
    redraw(this.head, null, () => [h("p.asset-blank", {}, say("asset.actions.reading"))]);
    this.drawChosen();
    await this.refresh();
  }

  keep(values) {
    const address = new URL(location.href);
    for (const [name, value] of Object.entries(values)) {
      if (value === null) address.searchParams.delete(name);
      else address.searchParams.set(name, value);
    }
    history.replaceState(null, "", address);
  }

  /** Read the case anew; several wishes at once are one reading, and one more behind it. */
  async refresh() {
    if (!this.caseId) return;
    if (this.reading) {
      this.isWanted = true;
      return;
    }
    this.reading = true;
    try {
      do {
        this.isWanted = false;
        await this.read(this.caseId);
        if (this.isWanted) await new Promise((resolve) => setTimeout(resolve, REST_MS));
      } while (this.isWanted);
    } finally {
      this.reading = false;
      this.again();
    }
  }

  async read(caseId) {
    try {
      const rows = this.grid.begin(caseId);
      const [summary, cover] = await Promise.all(["summary", "cover"].map((part) => ask("GET", `/api/assets/cases/${caseId}/${part}`)));
      if (caseId !== this.caseId) return;
      this.summary = { ...summary, cover };
      this.drawHead();
      this.answers.show(this.summary);
      drawChart(this.summary);
      this.grid.chosenId ??= this.wanted("asset");
      await this.grid.open(this.summary, rows);
      this.succeeded();
    } catch (problem) {
      this.failed(problem);
    }
  }

  succeeded() {
    this.readAt = now();
    this.body.classList.remove("is-stale");
    this.stale.hidden = true;
  }

  /** Nothing that couldn't be read anew is shown as if it were so now. */
  failed(problem) {
    if (problem.status === 401) return toSignIn("not-signed-in");
    if (problem instanceof TypeError || problem instanceof ReferenceError) throw problem;
    this.body.classList.add("is-stale");
    this.stale.hidden = false;
    const words = this.readAt ? say("asset.stale", { time: clock(this.readAt), why: problem.words }) : say("asset.unread.why", { why: problem.words });
    this.stale.replaceChildren(stateMark("serious", words));
    return undefined;
  }

  drawHead() {
    const isUnmasked = this.bare !== null;
    redraw(this.head, [{ ...this.summary, read_at: "" }, isUnmasked], () => caseHead(this.summary, { isUnmasked, unmask: () => this.unmask() }));
  }

  choose(row) {
    const isOther = row.asset.id !== this.row?.asset.id;
    this.row = row;
    this.keep({ asset: row.asset.id });
    if (isOther) {
      this.controls = null;
      this.history = null;
    }
    this.drawChosen();
    this.readChosen(row);
  }

  async readChosen(row) {
    try {
      const [controls, history] = await Promise.all([controlsOf(row.asset.id), ask("GET", `/api/assets/items/${row.asset.id}/history`)]);
      if (row !== this.row) return;
      this.controls = controls;
      this.history = history;
      this.drawChosen();
    } catch (problem) {
      this.failed(problem);
    }
  }

  drawChosen() {
    const { row, summary } = this;
    if (!row || !summary) {
      redraw(this.chosen, null, () => [h("p.asset-blank", {}, say("asset.chosen.hint"))]);
      return;
    }
    const scrolled = this.chosen.scrollTop;
    const bare = this.grid.bare.get(row.asset.id);
    const who = this.grid.people.get(row.asset.person_id)?.name ?? row.person;
    redraw(this.chosen, [row, bare, who, summary.today, this.controls, this.history, this.orders.told], () => [
      ...chosenAsset({
        row, summary, bare, who, controls: this.controls, mayControl: this.mayHere("control_assets"),
        order: (allowed) => this.order(allowed), find: (found) => this.find(found), askAgain: () => this.askAgain(row),
        objected: this.history?.orders.find((one) => one.state === "objected"), answer: (order, how) => this.orders.answer(order, how),
      }).filter(Boolean),
      ...(this.history ? [this.orders.section(this.history.orders, () => this.drawChosen())] : []),
      h("section", { "aria-labelledby": "asset-history-title" },
        h("h3", { id: "asset-history-title" }, say("asset.history")),
        this.history ? timeLine(this.history) : h("p.asset-none", {}, say("asset.actions.reading"))),
    ]);
    this.chosen.scrollTop = scrolled;
  }

  focusActions() {
    this.chosen.querySelector("[data-action]")?.focus();
  }

  /** Do it, and tell what came of it. */
  async perform(deed, words) {
    this.news.textContent = "";
    try {
      await deed();
      this.news.textContent = words;
    } catch (problem) {
      if (problem.status === 401) toSignIn("not-signed-in");
      else this.news.textContent = problem.words ?? String(problem);
    }
    await this.refresh();
  }

  query(personId, gateways) {
    const body = { case_id: this.caseId, person_id: personId, gateways, idempotency_key: crypto.randomUUID() };
    return this.perform(() => ask("POST", "/api/assets/queries", body), say("asset.told.queried"));
  }

  /** One press for everybody and everywhere, once it was said how much that is. */
  async queryEverybody() {
    const { persons, gateways } = this.summary;
    const asked = persons.filter((one) => one.is_under_enforcement);
    const about = [
      say("asset.query.everybody.persons", { count: asked.length, names: asked.map((one) => one.name).join(say("asset.list.separator")) }),
      say("asset.query.everybody.gateways", { count: gateways.length, total: asked.length * gateways.length }),
      say("asset.query.everybody.again"),
      asked.length < persons.length && say("asset.query.everybody.others"),
    ].filter(Boolean);
    const key = crypto.randomUUID();
    const caseId = this.caseId;
    if (!await askSure(say("asset.query.everybody.title"), say("asset.query.everybody.do"), about)) return undefined;
    return this.perform(() => ask("POST", "/api/assets/queries", { case_id: caseId, gateways: [], idempotency_key: key }), say("asset.told.queried-everybody"));
  }

  async order(allowed) {
    const answer = await askOrder(allowed, this.row, this.summary, this.controls);
    if (answer === null) return this.focusActions();
    this.news.textContent = say(answer.state === "draft" ? "asset.told.waits-for-approval" : "asset.told.ordered", { number: answer.number });
    await takeUpProposal(answer).catch((problem) => {
      this.news.textContent += ` ${say("proposals.told.not-linked", { why: problem.words ?? String(problem) })}`;
    });
    return this.refresh();
  }

  /** Note what somebody found out about the asset: `deed` asks for it and answers null where they thought better. */
  async find(deed) {
    if (await deed(this.row, this.controls) !== null) await this.refresh();
  }

  askAgain(row) {
    return this.perform(() => ask("POST", `/api/assets/requests/${row.request_id}/retry`), say("asset.told.asked-again", { number: row.request_number }));
  }

  async unmask() {
    if (this.bare !== null) return this.mask();
    const reason = await askReason(say("asset.unmask.title"), say("asset.unmask"), say("asset.unmask.about"));
    if (reason === null) return undefined;
    return this.perform(async () => {
      const bare = await ask("POST", `/api/assets/cases/${this.caseId}/unmask`, { reason });
      this.bare = bare;
      this.grid.bare = new Map(bare.assets.map((one) => [one.id, one]));
      this.grid.people = this.answers.people = new Map(bare.persons.map((one) => [one.id, one]));
      this.unmasking = setTimeout(() => this.mask(), UNMASKED_MS);
    }, say("asset.unmask.told", { minutes: UNMASKED_MS / 60_000 }));
  }

  mask() {
    clearTimeout(this.unmasking);
    if (this.bare === null) return;
    this.bare = null;
    this.grid.bare = new Map();
    this.grid.people = this.answers.people = new Map();
    if (this.summary) {
      this.drawHead();
      this.answers.show(this.summary);
    }
    this.grid.draw();
  }

  key(event) {
    if (event.key === "/") {
      document.getElementById("asset-search")?.focus();
      return true;
    }
    return false;
  }
}
