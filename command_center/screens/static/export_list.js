// The packages of an operation that were asked for: how far each is, and where it is fetched.

import { h, stateMark, write } from "./dom.js";
import { toSignIn } from "./live.js";
import { ask } from "./net.js";
import { clock, day } from "./time.js";
import { say } from "./words.js";

const REFRESH_MS = 2_000;
const CONFIRM_MS = 4_000;
const MARKS = { queued: "standby", running: "standby", done: "normal", failed: "serious", cancelled: "off", expired: "off", withdrawn: "caution" };

export class ExportList {
  constructor(operationId) {
    this.operationId = operationId;
    this.news = h("p.export-news", { role: "status" });
    this.rows = h("ul.export-list", {});
    this.element = h("section.export-section", { "aria-label": say("export.list") },
      h("h3", {}, say("export.list")), this.news, this.rows);
    this.shown = "";
    this.confirming = null;
  }

  /** Read it anew again and again, for as long as it is in the page. */
  async keepFresh() {
    await this.refresh();
    const timer = setInterval(() => {
      if (!this.element.isConnected) clearInterval(timer);
      else if (!document.hidden) this.refresh();
    }, REFRESH_MS);
  }

  async refresh() {
    try {
      const { items } = await ask("GET", `/api/exports?operation_id=${this.operationId}`);
      this.show(items);
      write(this.news, "");
    } catch (problem) {
      if (problem.status === 401) return toSignIn("not-signed-in");
      write(this.news, problem.words ?? String(problem));
    }
  }

  /** Draw it where something changed, so that what has the focus keeps it. */
  show(items) {
    const told = JSON.stringify([items, this.confirming]);
    if (told === this.shown) return;
    this.shown = told;
    this.items = items;
    const focused = document.activeElement?.dataset?.deed;
    this.rows.replaceChildren(...(items.length ? items.map((item) => this.row(item)) : [h("li.export-none", {}, say("export.none"))]));
    if (focused) this.rows.querySelector(`[data-deed="${CSS.escape(focused)}"]`)?.focus();
  }

  row(item) {
    const since = Date.parse(item.since);
    const facts = [
      `${day(since)} ${clock(since)} — ${clock(Date.parse(item.until))}`,
      say("export.feeds", { count: item.feeds.length }),
      say(`purpose.${item.purpose}`),
      ...(item.is_masked ? [] : [say("export.unmasked")]),
    ];
    return h("li.export-row", { dataset: { state: item.state } },
      stateMark(MARKS[item.state], say(`export.state.${item.state}`)),
      h("div.export-facts", {},
        h("span", {}, facts.join(" · ")),
        h("small", {}, say("export.by", { name: item.requester, at: `${day(Date.parse(item.requested_at))} ${clock(Date.parse(item.requested_at))}` })),
        item.error && h("small.state-serious", {}, why(item)),
        item.sha256 && h("small.export-hash", {}, say("export.sha256", { hash: item.sha256 }))),
      progressOf(item),
      h("div.export-deeds", {}, this.deeds(item)));
  }

  deeds(item) {
    const deeds = [];
    if (item.state === "done") {
      const size = Math.max(0.1, item.bytes / 1e6).toFixed(1);
      deeds.push(h("a.export-download", { href: `/api/exports/${item.id}/package`, download: true, dataset: { deed: `download-${item.id}` } },
        `${say("export.download")} (${say("export.size", { size })})`));
    }
    if (["queued", "running", "done"].includes(item.state)) {
      const kind = item.state === "done" ? "remove" : "cancel";
      const words = say(this.confirming === item.id ? `export.confirm-${kind}` : `export.${kind}`);
      deeds.push(h("button.quiet", { type: "button", dataset: { deed: `end-${item.id}` }, onclick: () => this.end(item) }, words));
    }
    return deeds;
  }

  /** Call it off, or remove it, at the second press. */
  async end(item) {
    if (this.confirming !== item.id) {
      this.confirming = item.id;
      this.show(this.items);
      setTimeout(() => {
        if (this.confirming !== item.id) return;
        this.confirming = null;
        this.show(this.items);
      }, CONFIRM_MS);
      return;
    }
    this.confirming = null;
    try {
      await ask("DELETE", `/api/exports/${item.id}`);
    } catch (problem) {
      if (problem.status === 401) return toSignIn("not-signed-in");
      write(this.news, problem.words ?? String(problem));
    }
    await this.refresh();
  }
}

function why(item) {
  const words = say(`error.${item.error}`);
  if (item.state !== "withdrawn") return words;
  const at = Date.parse(item.finished_at);
  return say("export.withdrawn-at", { why: words, at: `${day(at)} ${clock(at)}` });
}

function progressOf(item) {
  if (item.state !== "running") return null;
  const share = item.units ? item.units_done / item.units : 0;
  return h("div.export-progress", {},
    h("progress", { max: 1, value: share, "aria-label": say("export.state.running") }),
    h("span", {}, item.units ? say("export.progress", { percent: Math.floor(share * 100) }) : say("export.awaiting")));
}
