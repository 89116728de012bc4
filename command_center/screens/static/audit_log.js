// The audit: newest first, page by page, filtered on request, and a check of the whole chain.

import { h, stateMark } from "./dom.js";
import { toSignIn } from "./live.js";
import { ask } from "./net.js";
import { person } from "./person.js";
import { keysOf, knows, say } from "./words.js";

const ACTIONS = "audit.action.";
const OF_ACCOUNTS = /^(audit|session|user)\./;
const COLUMNS = ["number", "time", "actor", "action", "subject", "details"];

export async function mount(body) {
  const readsAll = person().permissions.includes("read_audit");
  const verdict = h("span");
  const rows = h("tbody");
  const news = h("p.administration-news", { role: "status" });
  const heads = COLUMNS.map((name) => h(`th.audit-${name}`, { scope: "col" }, say(`audit.${name}`)));
  const more = h("button", { type: "button" }, say("audit.more"));
  const check = h("button", { type: "button" }, say("audit.check"));
  const people = h("datalist", { id: "audit-people" });
  const form = filters(people, readsAll);
  let wanted = new URLSearchParams();
  let cursor = null;
  let asked = 0;

  async function perform(deed) {
    try {
      await deed();
    } catch (problem) {
      if (problem.status === 401) toSignIn("not-signed-in");
      else news.textContent = problem.words ?? String(problem);
    }
  }

  const read = () => perform(async () => {
    const mine = ++asked;
    const query = new URLSearchParams(wanted);
    if (cursor !== null) query.set("cursor", cursor);
    const page = await ask("GET", `/api/audit?${query}`);
    if (mine !== asked) return; // the filter was changed meanwhile
    if (cursor === null) rows.replaceChildren();
    rows.append(...page.items.map(row));
    remember(people, page.items);
    cursor = page.next;
    more.hidden = cursor === null;
    news.textContent = rows.childElementCount ? "" : say("audit.filter.none");
  });

  function filter() {
    const given = [...new FormData(form)].map(([name, value]) => [name, value.trim()]);
    wanted = new URLSearchParams(given.filter(([, value]) => value));
    cursor = null;
    return read();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    filter();
  });
  form.elements.action.addEventListener("change", filter);
  form.addEventListener("reset", () => setTimeout(filter)); // the fields are emptied after the event
  more.addEventListener("click", read);
  check.addEventListener("click", () => perform(async () => {
    check.disabled = true;
    try {
      const found = await ask("GET", "/api/audit/verdict", undefined, { timeoutMs: 120_000 });
      verdict.replaceChildren(found.broken_at === null
        ? stateMark("normal", say("audit.whole", found))
        : stateMark("critical", say(`audit.broken.${found.reason}`, found)));
      if (found.unreadable_anchors) verdict.append(" ", stateMark("caution", say("audit.unreadable-anchors", found)));
    } finally {
      check.disabled = false;
    }
  }));
  body.replaceChildren(
    readsAll ? h("div.administration-row", {}, check, verdict) : h("p.audit-scope", {}, say("audit.of-operations")), form, news,
    h("table.audit-table", {}, h("thead", {}, h("tr", {}, heads)), rows), h("div.administration-row", {}, more));
  await read();
}

function filters(people, readsAll) {
  const offered = keysOf(ACTIONS).map((key) => key.slice(ACTIONS.length)).filter((action) => readsAll || !OF_ACCOUNTS.test(action));
  const actions = offered.map((action) => h("option", { value: action }, say(ACTIONS + action)));
  const field = (name, attributes) => h("label", {}, say(`audit.${name}`), h("input", {
    name, placeholder: say(`audit.filter.${name}`), autocomplete: "off", spellcheck: "false", ...attributes,
  }));
  return h("form.audit-filter", { role: "search" },
    h("label", {}, say("audit.action"),
      h("select", { name: "action" }, h("option", { value: "" }, say("audit.filter.all")), actions)),
    field("actor", { maxlength: 100, list: people.id }), people,
    field("subject", { maxlength: 128 }),
    h("button.primary", { type: "submit" }, say("audit.filter.find")),
    h("button", { type: "reset" }, say("audit.filter.clear")));
}

/** Offer whoever was seen in the entries as an actor. */
function remember(people, entries) {
  const known = new Set([...people.children].map((option) => option.value));
  for (const { actor_username: username, actor_name: name } of entries) {
    if (!username || known.has(username)) continue;
    known.add(username);
    people.append(h("option", { value: username }, name));
  }
}

function row(entry) {
  const key = ACTIONS + entry.action;
  return h("tr", {},
    h("td.audit-number", {}, String(entry.sequence)),
    h("td.audit-time", {}, new Date(entry.at).toLocaleString("sv-SE", { timeZone: "Asia/Shanghai" })),
    h("td", { title: entry.actor_id }, actor(entry)),
    h("td", { title: entry.action }, knows(key) ? say(key) : h("code", {}, entry.action)),
    h("td", {}, `${wordOr(`audit.subject.${entry.subject_type}`, entry.subject_type)} `, subject(entry)),
    h("td", {}, Object.entries(entry.details).map(([name, value]) => detail(entry, name, value)),
      entry.review_note && h("span.audit-detail", {}, h("span.audit-detail-name", {}, say("audit.detail.review-note")), " ", entry.review_note)));
}

function actor(entry) {
  if (!entry.actor_name) return h("code", {}, entry.actor_id ?? "–");
  return [entry.actor_name, entry.actor_username !== entry.actor_name && [" ", h("code", {}, entry.actor_username)]];
}

function subject(entry) {
  return entry.subject_name ? h("span", { title: entry.subject_id }, entry.subject_name) : h("code", {}, entry.subject_id);
}

function detail(entry, name, value) {
  return h("span.audit-detail", { title: `${name}=${value}` },
    h("span.audit-detail-name", {}, wordOr(`audit.detail.${name}`, name)), " ", meaning(entry, name, value));
}

/** A detail's value in words where it is one of ours. */
function meaning(entry, name, value) {
  if (name === "officer" && entry.officer_name) return entry.officer_name;
  if (name === "at" && typeof value === "number") return new Date(value).toLocaleString("sv-SE", { timeZone: "Asia/Shanghai" });
  const families = {
    role: "role", code: "error", gateway: "asset.gateway", program: "audit.detail.program", purpose: "purpose", what: "audit.what", verdict: "audit.verdict",
    attempt: "audit.attempt", sanction: "sanction.kind", party: "case.role", party_before: "case.role",
  };
  const key = `${families[name]}.${value}`;
  return name in families && knows(key) ? say(key) : h("code", {}, String(value));
}

const wordOr = (key, code) => (knows(key) ? say(key) : code);
