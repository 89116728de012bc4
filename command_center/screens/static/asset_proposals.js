// What officers on site propose: what waits for a judge, and what became of the rest; looked at again by itself.

import { deedsOf } from "./asset_proposal_deeds.js";
import { instant, money, orderWord } from "./asset_words.js";
import { h, stateMark } from "./dom.js";
import { live, toSignIn } from "./live.js";
import { ask } from "./net.js";
import { person } from "./person.js";
import { inLanguage, say } from "./words.js";

const AGAIN_MS = 5_000;
const MARKS = { open: "serious", taken_up: "normal", declined: "off", withdrawn: "off" };
const OPEN = ["what", "control", "words", "from", "case", "deeds"];
const ENDED = ["what", "control", "from", "case", "state", "result"];

export async function mount(body) {
  const news = h("p.administration-news", { role: "status" });
  const mayDecide = person().permissions.includes("control_assets");
  const open = section("open", () => refresh());
  const ended = section("ended", () => refresh());
  let drawn = "";
  body.replaceChildren(news, open.element, ended.element);

  /** Do it, tell what came of it, and show how things stand then. */
  async function perform(deed, words) {
    news.textContent = "";
    let told = words;
    try {
      if (await deed() === false) told = "";
    } catch (problem) {
      if (problem.status === 401) return toSignIn("not-signed-in");
      told = problem.words ?? String(problem);
    }
    await refresh();
    news.textContent = told;
    return undefined;
  }

  async function refresh() {
    try {
      const [waiting, past] = await Promise.all([read("open", open.pages), read("ended", ended.pages)]);
      const found = JSON.stringify([waiting, past]);
      if (found === drawn) return;
      drawn = found;
      const deeds = (item) => (mayDecide ? deedsOf(item, perform) : []);
      const focused = document.activeElement?.closest("[data-proposal]")?.dataset.proposal;
      open.fill(waiting.items.map((item) => row(OPEN, item, deeds)), OPEN, waiting.next);
      ended.fill(past.items.map((item) => row(ENDED, item, deeds)), ENDED, past.next);
      if (focused) body.querySelector(`[data-proposal="${focused}"] button, [data-proposal="${focused}"] a`)?.focus();
      news.textContent = "";
    } catch (problem) {
      if (problem.status === 401) toSignIn("not-signed-in");
      else news.replaceChildren(stateMark("serious", say("asset.unread.why", { why: problem.words ?? String(problem) })));
    }
  }

  live.on("assets", refresh);
  setInterval(() => document.hidden || refresh(), AGAIN_MS);
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  await refresh();
}

/** As many pages as somebody asked for; `next` says whether there are more. */
async function read(show, pages) {
  const items = [];
  let next = null;
  do {
    const asked = new URLSearchParams({ show, ...(next && { cursor: next }) });
    const page = await ask("GET", `/api/assets/proposals?${asked}`);
    items.push(...page.items);
    ({ next } = page);
    pages -= 1;
  } while (next && pages > 0);
  return { items, next };
}

function section(name, again) {
  const place = h("div");
  const element = h(`section.proposals-section.proposals-${name}`, {},
    h("h3", {}, say(`proposals.${name}`)), h("p.proposals-hint", {}, say(`proposals.${name}.hint`)), place);
  const shown = { element, pages: 1 };
  const more = () => {
    shown.pages += 1;
    return again();
  };
  shown.fill = (rows, columns, next) => place.replaceChildren(
    rows.length ? table(rows, columns) : h("p.proposals-none", {}, say(`proposals.${name}.none`)),
    ...(next ? [h("button.quiet", { type: "button", onclick: more }, say("asset.more"))] : []),
  );
  return shown;
}

function table(rows, columns) {
  const heads = columns.map((name) => h(`th.proposals-column-${name}`, { scope: "col" }, name === "deeds" ? "" : say(`proposals.column.${name}`)));
  return h("table.proposals-table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows));
}

function row(columns, item, deeds) {
  const cells = {
    what: () => what(item),
    control: () => [say(`asset.action.${item.action}`), item.amount_cents === null ? null : h("small.is-number", {}, money(item.amount_cents))],
    words: () => item.words || "—",
    from: () => [item.officer || "—", h("small", {}, instant(item.proposed_at))],
    case: () => [item.case_number, h("small", {}, inLanguage(item, "operation"))],
    state: () => [stateMark(MARKS[item.state], say(`proposals.state.${item.state}`)), h("small", {}, [item.decided_by_name, instant(item.decided_at)].filter(Boolean).join(" · "))],
    result: () => result(item),
    deeds: () => deeds(item),
  };
  return h("tr", { dataset: { proposal: item.id, state: item.state } }, columns.map((name) => h(`td.proposals-${name}`, {}, cells[name]())));
}

function what(item) {
  const number = [say(`asset.kind.${item.kind}`), item.reference].filter(Boolean).join(" ");
  return [
    h("b", {}, item.description || number),
    h("small", {}, [item.description && number, item.person_name ? say("proposals.person", { name: item.person_name }) : say("proposals.person.unknown")].filter(Boolean).join(" · ")),
    item.state === "open" && item.asset_id === null && stateMark("caution", say("proposals.new")),
    item.standing_request_id !== null && stateMark("standby", say("proposals.link.hint")),
  ];
}

function result(item) {
  if (item.state === "taken_up") return say("proposals.result.order", { number: item.request_number, state: orderWord(item.request_state) });
  return item.decision_reason || "—";
}
