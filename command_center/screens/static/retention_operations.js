// The operations: how long each is kept, and what holds it.

import { h } from "./dom.js";
import { ask } from "./net.js";
import { askReason } from "./reason.js";
import { classChoice, size } from "./retention_words.js";
import { minute } from "./time.js";
import { inLanguage, say } from "./words.js";

const COLUMNS = ["operation", "recordings", "class", "holds", "deeds"];

/** A table of `operations` as the API answers them. */
export function operationsTable({ items, days }, me, may, perform) {
  const heads = COLUMNS.map((name) => h(`th.retention-column-${name}`, { scope: "col" }, name === "deeds" ? "" : say(`retention.column.${name}`)));
  const rows = items.map((item) => row(item, days, me, may, perform));
  return h("table.retention-table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows));
}

function row(item, days, me, may, perform) {
  const own = Object.keys(item.classes).length;
  return h("tr", { dataset: { operation: item.id } },
    h("td", {}, inLanguage(item, "name"), h("small", {}, item.case_number), h("small", {}, minute(item.starts_at))),
    h("td", {}, say("retention.count", { count: item.recordings }), item.bytes > 0 && h("small", {}, size(item.bytes))),
    h("td.retention-class", {}, chosenClass(item, days, may, perform), own > 0 && h("small", {}, say("retention.own-classes", { count: own }))),
    h("td", {}, item.holds.length
      ? h("ul.retention-holds", {}, item.holds.map((hold) => holdItem(hold, me, may, perform)))
      : h("span.retention-no-hold", {}, say("hold.none"))),
    h("td.retention-deeds", {}, may("hold_recordings") && h("button", {
      type: "button",
      dataset: { deed: "hold" },
      onclick: () => perform(async () => {
        const reason = await askReason(say("hold.set.operation"), say("hold.set"), say("hold.set.about"));
        if (reason === null) return false;
        await ask("POST", "/api/retention/holds", { operation_id: item.id, reason });
        return true;
      }, say("hold.told.set")),
    }, say("hold.set"))));
}

function chosenClass(item, days, may, perform) {
  return classChoice(item.retention_class, days, may("hold_recordings") && ((chosen) => perform(
    () => ask("POST", "/api/retention/classes", { operation_id: item.id, retention_class: chosen }),
    say("retention.told.class"),
  )));
}

function holdItem(hold, me, may, perform) {
  const isOwn = hold.set_by === me.user_id;
  return h("li", { dataset: { hold: hold.id } },
    h("span", {}, say(hold.recording_id === null ? "hold.of-operation" : "hold.of-recording"), " ", hold.reason),
    may("hold_recordings") && h("button", {
      type: "button",
      disabled: isOwn,
      title: isOwn ? say("error.hold-needs-two") : null,
      dataset: { deed: "lift" },
      onclick: () => perform(async () => {
        const reason = await askReason(say("hold.lift.title"), say("hold.lift"));
        if (reason === null) return false;
        await ask("POST", `/api/retention/holds/${hold.id}/lift`, { reason });
        return true;
      }, say("hold.told.lifted")),
    }, say("hold.lift")),
    h("small", {}, `${hold.set_by_name} · ${minute(hold.set_at)}`));
}
