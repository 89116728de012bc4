// What to know of a recording before deciding on its deletion: why it is kept, what held it, who saw it.

import { showDialog } from "./dialog.js";
import { h, stateMark } from "./dom.js";
import { ask } from "./net.js";
import { packagesWords } from "./retention_packages.js";
import { minute } from "./time.js";
import { knows, say } from "./words.js";

/** Read the record of this deletion's recording, and show it. */
export async function showCustody(item) {
  const record = await ask("GET", `/api/deletions/${item.id}/custody`);
  const close = h("button.primary", { type: "button", onclick: () => dialog.close() }, say("custody.close"));
  const dialog = h("dialog.custody", { "aria-labelledby": "custody-title" },
    h("h2", { id: "custody-title" }, say("custody.title")),
    h("dl.custody-facts", {}, [
      ...fact("class", classWords(record)),
      ...fact("over", record.over_at ? minute(record.over_at) : say("custody.over.never")),
      ...fact("holds", list(record.holds.map(hold))),
      ...fact("packages", list(packagesWords([item]))),
      ...fact("earlier", list(record.earlier.map(earlier))),
    ]),
    h("h3", {}, say("custody.entries")),
    h("div.custody-entries", { tabindex: 0 }, h("table", {}, h("tbody", {}, record.entries.map(entry)))),
    record.is_cut && h("p.retention-hint", {}, say("custody.cut", { count: record.entries.length })),
    h("div.reason-deeds", {}, close));
  showDialog(dialog);
  close.focus();
}

const fact = (name, content) => [h("dt", {}, say(`custody.${name}`)), h("dd", {}, content)];
const list = (items) => (items.length ? h("ul", {}, items.map((one) => h("li", {}, one))) : say("custody.none"));
const signed = (name, at) => `${name || "–"} · ${minute(at)}`;

function classWords({ retention_class: name, mark }) {
  const words = `${name} ${say(`retention.class.${name}`)}`;
  if (mark === null) return [words, h("small", {}, say("custody.class.usual"))];
  return [words, h("small", {}, say(mark.is_own ? "custody.class.own" : "custody.class.operation", { by: signed(mark.set_by_name, mark.set_at) }))];
}

function hold(one) {
  return [
    stateMark(one.lifted_at ? "off" : "critical", say(one.lifted_at ? "custody.hold.lifted" : "custody.hold.in-force")), " ",
    say(one.recording_id === null ? "hold.of-operation" : "hold.of-recording"), " ", one.reason,
    h("small", {}, signed(one.set_by_name, one.set_at)),
    one.lifted_at && h("small", {}, say("custody.hold.lift", { by: signed(one.lifted_by_name, one.lifted_at), reason: one.lift_reason })),
  ];
}

function earlier(one) {
  const rule = `error.${one.end_reason}`;
  const why = !one.ended_by_name && knows(rule) ? say(rule) : one.end_reason;
  return [
    say(`deletion.state.${one.state}`), " ", why,
    h("small", {}, signed(one.ended_by_name || say("deletion.by-rule"), one.ended_at)),
    one.reason && h("small", {}, say("custody.earlier.reason", { name: one.proposed_by_name, reason: one.reason })),
  ];
}

/** Why somebody was refused: told of him, not of whoever reads it, and who may. */
function why({ code, attempt }) {
  if (code === "not-permitted") return [say("custody.refused"), attempt && knows(`custody.may.${attempt}`) && say(`custody.may.${attempt}`)].filter(Boolean);
  return knows(`error.${code}`) ? [say(`error.${code}`)] : [];
}

function entry(one) {
  const action = `audit.action.${one.action}`;
  const { details } = one;
  const beside = [["purpose", "purpose"], ["what", "audit.what"], ["attempt", "audit.attempt"], ["verdict", "audit.verdict"]]
    .map(([name, family]) => `${family}.${details[name]}`).filter(knows).map((key) => say(key));
  if (details.class) beside.push(say("custody.class.changed", { before: details.before, after: details.class }));
  if (details.code) beside.push(...why(details));
  return h("tr", {},
    h("td.custody-at", {}, minute(one.at)),
    h("td.custody-who", {}, one.actor_name || say("custody.system")),
    h("td", { title: one.action }, knows(action) ? say(action) : one.action),
    h("td", {}, beside.join(" · ")));
}
