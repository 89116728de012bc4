// The choice of the operation: it is kept in the address, so that a reload or a link shows the same.

import { h } from "./dom.js";
import { live, setStore, toSignIn } from "./live.js";
import { ask } from "./net.js";
import { person } from "./person.js";
import { inLanguage, say } from "./words.js";

const RETRY_MS = 3_000;
let chosen = null;
const waiting = [];
const sought = new Set();

/** The chosen operation with its sites, now and at each change: handler(operation | null). */
export function onOperation(handler) {
  waiting.push(handler);
  if (chosen !== null) handler(chosen.operation);
}

export async function mount(element) {
  const operations = await read(element);
  if (!operations) return;
  if (operations.length === 0) {
    element.append(h("span.faint", {}, say("shell.no-operation")));
    choose(null);
    return;
  }
  const wanted = new URLSearchParams(location.search).get("operation");
  const own = person().user_id;
  const isOwnAndLive = (one) => one.state === "live" && one.commander_id === own;
  const first =
    operations.find((one) => one.id === wanted) ??
    operations.find(isOwnAndLive) ??
    operations.find((one) => one.state === "live") ??
    operations[0];
  const select = h(
    "select",
    { "aria-label": say("shell.operation"), id: "operation", onchange: () => change(operations, select.value) },
    operations.map((one) => h("option", { value: one.id }, label(one))),
  );
  select.value = first.id;
  select.title = label(first);
  element.append(select);
  choose(first);
  live.on("snapshot", (snapshot) => readTeam(snapshot.feeds));
  live.on("feed", (view) => readTeam([view]));
}

/** A feed of somebody unknown is of an officer who was assigned after the operation was read: read it again, once. */
async function readTeam(views) {
  const { operation } = chosen;
  const known = new Set(operation.officers.map((officer) => officer.user_id));
  const unknown = views.map((view) => view.officer_id).filter((id) => !known.has(id) && !sought.has(`${operation.id} ${id}`));
  if (unknown.length === 0) return;
  for (const id of unknown) sought.add(`${operation.id} ${id}`);
  try {
    Object.assign(operation, await ask("GET", `/api/operations/${operation.id}`));
    live.emit("team", operation);
  } catch {
    for (const id of unknown) sought.delete(`${operation.id} ${id}`); // the feed's next word asks again
  }
}

function label(operation) {
  return [operation.case_number, inLanguage(operation, "name")].filter(Boolean).join(" · ");
}

async function read(element) {
  for (;;) {
    try {
      const answer = await ask("GET", "/api/operations");
      element.replaceChildren();
      return answer.items;
    } catch (problem) {
      if (problem.status === 401) return toSignIn("not-signed-in");
      if (problem.status === 403) return null;
      element.replaceChildren(h("span.faint", {}, problem.words));
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

function change(operations, id) {
  const address = new URL(location.href);
  address.searchParams.set("operation", id);
  history.replaceState(null, "", address);
  choose(operations.find((one) => one.id === id));
}

function choose(operation) {
  chosen = { operation };
  setStore("operation-id", operation?.id ?? null);
  // Empty, not null: null is what the page begins with, when nobody knows yet.
  setStore("case-id", operation?.case_id ?? "");
  for (const handler of waiting) handler(operation);
  if (operation) live.watch(operation.id);
}
