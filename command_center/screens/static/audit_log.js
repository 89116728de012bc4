// The audit: newest first, page by page, and a check of the whole chain on request.

import { h, stateMark } from "./dom.js";
import { toSignIn } from "./live.js";
import { ask } from "./net.js";
import { say } from "./words.js";

export async function mount(body) {
  const verdict = h("span");
  const rows = h("tbody");
  const news = h("p.administration-news", { role: "status" });
  const heads = ["number", "time", "actor", "action", "subject", "details"].map((name) => h("th", {}, say(`audit.${name}`)));
  const more = h("button.quiet", { type: "button" }, say("audit.more"));
  const check = h("button.quiet", { type: "button" }, say("audit.check"));
  let cursor = null;

  async function perform(deed) {
    try {
      await deed();
    } catch (problem) {
      if (problem.status === 401) toSignIn("not-signed-in");
      else news.textContent = problem.words ?? String(problem);
    }
  }

  const read = () => perform(async () => {
    const page = await ask("GET", `/api/audit${cursor === null ? "" : `?cursor=${cursor}`}`);
    rows.append(...page.items.map(row));
    cursor = page.next;
    more.hidden = cursor === null;
  });

  more.addEventListener("click", read);
  check.addEventListener("click", () => perform(async () => {
    const found = await ask("GET", "/api/audit/verdict", undefined, { timeoutMs: 120_000 });
    verdict.replaceChildren(found.broken_at === null
      ? stateMark("normal", say("audit.whole", found))
      : stateMark("critical", say(`audit.broken.${found.reason}`, found)));
    if (found.unreadable_anchors) verdict.append(" ", stateMark("warning", say("audit.unreadable-anchors", found)));
  }));
  body.replaceChildren(
    h("div.administration-row", {}, check, verdict), news,
    h("table", {}, h("thead", {}, h("tr", {}, heads)), rows), h("div.administration-row", {}, more));
  await read();
}

function row(entry) {
  const details = Object.entries(entry.details).map(([name, value]) => `${name}=${value}`).join(" ");
  return h("tr", {},
    h("td", {}, String(entry.sequence)),
    h("td", {}, new Date(entry.at).toLocaleString("sv-SE", { timeZone: "Asia/Shanghai" })),
    h("td", {}, h("code", {}, entry.actor_id ?? "–")),
    h("td", {}, entry.action),
    h("td", {}, `${entry.subject_type} `, h("code", {}, entry.subject_id)),
    h("td", {}, h("code", {}, details)));
}
