// How long recordings are kept: what is due or being decided, the operations with their classes and holds, what became of the rest.

import { h } from "./dom.js";
import { toSignIn } from "./live.js";
import { ask } from "./net.js";
import { person } from "./person.js";
import { Decisions } from "./retention_decisions.js";
import { operationsTable } from "./retention_operations.js";
import { say } from "./words.js";

export async function mount(body) {
  const news = h("p.administration-news", { role: "status" });
  const me = person();
  const may = (permission) => me.permissions.includes(permission);
  const decisions = new Decisions(me, may, perform);
  const kept = section("kept");
  const ended = section("ended");
  body.replaceChildren(news, decisions.element, kept.element, ended.element);

  /** Do it, tell what came of it, and show how things stand then; `words` are told where all went well. */
  async function perform(deed, words = "") {
    news.textContent = "";
    let told = words;
    try {
      if (await deed() === false) return;
    } catch (problem) {
      if (problem.status === 401) return toSignIn("not-signed-in");
      told = problem.words ?? String(problem);
    }
    await refresh();
    news.textContent = told;
  }

  async function refresh() {
    try {
      const [open, operations, past] = await Promise.all([
        everything("/api/deletions?show=open"), ask("GET", "/api/retention"), ask("GET", "/api/deletions?show=ended"),
      ]);
      decisions.show(open, operations.days);
      kept.fill(operations.items.length ? operationsTable(operations, me, may, perform) : null);
      ended.fill(past.items.length ? decisions.past(past.items) : null);
    } catch (problem) {
      if (problem.status === 401) toSignIn("not-signed-in");
      else news.textContent = problem.words ?? String(problem);
    }
  }

  await refresh();
}

const MOST_PAGES = 5;

/** The items of all pages, up to a bound: what is decided makes room for the rest. */
async function everything(path) {
  const items = [];
  let cursor = null;
  for (let page = 0; page < MOST_PAGES && (page === 0 || cursor !== null); page += 1) {
    const found = await ask("GET", cursor === null ? path : `${path}&cursor=${encodeURIComponent(cursor)}`);
    items.push(...found.items);
    cursor = found.next;
  }
  return items;
}

function section(name) {
  const place = h("div");
  const hint = h("p.retention-hint", {}, say(`retention.${name}.hint`));
  const element = h(`section.retention-section.retention-${name}`, {}, h("h3", {}, say(`retention.${name}`)), hint, place);
  const fill = (content) => place.replaceChildren(content ?? h("p.retention-none", {}, say(`retention.${name}.none`)));
  return { element, fill };
}
