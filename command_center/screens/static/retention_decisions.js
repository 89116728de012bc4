// What is due, proposed or approved, with the deeds that this person may do; and what became of the rest.

import { h, stateMark } from "./dom.js";
import { ask } from "./net.js";
import { askReason } from "./reason.js";
import { showCustody } from "./retention_custody.js";
import { packagesOf, packagesWords } from "./retention_packages.js";
import { classChoice, signed, size } from "./retention_words.js";
import { askSure } from "./sure.js";
import { minute, span } from "./time.js";
import { inLanguage, knows, say } from "./words.js";

const MARKS = { due: "caution", proposed: "serious", approved: "critical", deleting: "standby", done: "off", withdrawn: "normal", refused: "normal" };
const OPEN = ["check", "operation", "place", "recorded", "packages", "class", "state", "proposed", "approved", "deeds"];
const PAST = ["check", "operation", "place", "recorded", "packages", "class", "state", "proposed", "approved", "outcome"];

export class Decisions {
  constructor(me, may, perform) {
    this.me = me;
    this.may = may;
    this.perform = perform;
    this.chosen = new Set();
    this.items = [];
    this.place = h("div");
    this.propose = h("button", { type: "button", onclick: () => this.proposeChosen() }, say("deletion.propose-chosen"));
    this.approve = h("button", { type: "button", onclick: () => this.approveChosen() }, say("deletion.approve-chosen"));
    this.element = h("section.retention-section.retention-open", {},
      h("h3", {}, say("retention.open")), h("p.retention-hint", {}, say("retention.open.hint")),
      h("div.administration-row", {},
        may("propose_deletion") && this.propose, may("approve_deletion") && this.approve), this.place);
  }

  show(items, days) {
    this.items = items;
    this.days = days;
    this.chosen = new Set(items.map((item) => item.id).filter((id) => this.chosen.has(id)));
    this.place.replaceChildren(items.length
      ? table(OPEN, items.map((item) => this.row(item)))
      : h("p.retention-none", {}, say("retention.open.none")));
    this.mark();
  }

  /** A table of what has come to its end. */
  past(items) {
    return table(PAST, items.map((item) => h("tr", {}, h("td"), facts(item), h("td", {}, outcome(item)))));
  }

  row(item) {
    const box = h("input", {
      type: "checkbox", checked: this.chosen.has(item.id), "aria-label": say("deletion.choose"),
      onchange: () => { this.chosen[box.checked ? "add" : "delete"](item.id); this.mark(); },
    });
    return h("tr", { dataset: { deletion: item.id, state: item.state } },
      h("td.retention-check", {}, (this.mayPropose(item) || this.mayApprove(item)) && box), facts(item, this.classOf(item)), h("td.retention-deeds", {}, this.deeds(item)));
  }

  mark() {
    const chosen = this.items.filter((item) => this.chosen.has(item.id));
    this.propose.disabled = !chosen.some((item) => this.mayPropose(item));
    this.approve.disabled = !chosen.some((item) => this.mayApprove(item));
  }

  isWearer(item) { return item.officer_id === this.me.user_id; }
  mayPropose(item) { return item.state === "due" && this.may("propose_deletion") && !this.isWearer(item); }
  mayApprove(item) {
    return item.state === "proposed" && this.may("approve_deletion") && !this.isWearer(item) && item.proposed_by !== this.me.user_id;
  }
  mayWithdraw(item) {
    const isMine = [item.proposed_by, item.approved_by].includes(this.me.user_id);
    return isMine && ["proposed", "approved"].includes(item.state);
  }

  deeds(item) {
    const button = (name, deed) => [h("button", { type: "button", dataset: { deed: name }, onclick: deed }, say(`deletion.${name}`)), " "];
    return [
      button("custody", () => this.perform(() => showCustody(item))),
      this.mayPropose(item) && button("propose", () => this.proposeAll([item])),
      this.mayApprove(item) && button("approve", () => this.approveAll([item])),
      this.mayApprove(item) && button("refuse", () => this.withReason(item, "refuse")),
      this.mayWithdraw(item) && button("withdraw", () => this.withReason(item, "withdraw")),
      this.may("hold_recordings") && item.state !== "deleting" && button("hold", () => this.hold(item)),
      this.isWearer(item) && h("small", {}, say("deletion.wearer")),
    ];
  }

  classOf(item) {
    if (!this.may("hold_recordings") || item.state === "deleting") return item.retention_class;
    return classChoice(item.retention_class, this.days, (chosen) => this.perform(
      () => ask("POST", "/api/retention/classes", { operation_id: item.operation_id, recording_id: item.recording_id, retention_class: chosen }),
      say("retention.told.class"),
    ), true);
  }

  proposeChosen() { this.proposeAll(this.items.filter((item) => this.chosen.has(item.id) && this.mayPropose(item))); }
  approveChosen() { this.approveAll(this.items.filter((item) => this.chosen.has(item.id) && this.mayApprove(item))); }

  proposeAll(items) {
    this.perform(async () => {
      const reason = await askReason(say("deletion.propose.title", { count: items.length }), say("deletion.propose"), say("deletion.propose.about"));
      if (reason === null) return false;
      for (const item of items) await ask("POST", "/api/deletions", { recording_id: item.recording_id, reason });
      return true;
    }, say("deletion.told.proposed", { count: items.length }));
  }

  approveAll(items) {
    this.perform(async () => {
      const about = [...items.map(named), say("deletion.approve.about"), ...packagesWords(items)];
      if (!await askSure(say("deletion.approve.sure", { count: items.length }), say("deletion.approve"), about)) return false;
      for (const item of items) await ask("POST", `/api/deletions/${item.id}/approve`);
      return true;
    }, say("deletion.told.approved", { count: items.length }));
  }

  withReason(item, deed) {
    this.perform(async () => {
      const reason = await askReason(say(`deletion.${deed}.title`), say(`deletion.${deed}`));
      if (reason === null) return false;
      await ask("POST", `/api/deletions/${item.id}/${deed}`, { reason });
      return true;
    }, say(`deletion.told.${deed}`));
  }

  hold(item) {
    this.perform(async () => {
      const reason = await askReason(say("hold.set.recording"), say("hold.set"), say("hold.set.about"));
      if (reason === null) return false;
      await ask("POST", "/api/retention/holds", { operation_id: item.operation_id, recording_id: item.recording_id, reason });
      return true;
    }, say("hold.told.set"));
  }
}

function table(columns, rows) {
  const heads = columns.map((name) => h(`th.retention-column-${name}`, { scope: "col" }, name === "check" || name === "deeds" ? "" : say(`deletion.column.${name}`)));
  return h("table.retention-table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows));
}

function facts(item, retentionClass = item.retention_class) {
  const place = inLanguage(item, "site") || say("deletion.voice");
  return [
    h("td", {}, inLanguage(item, "operation"), h("small", {}, item.case_number)),
    h("td", {}, place, h("small", {}, item.officer)),
    h("td", { title: item.recording_id }, item.started_at ? minute(item.started_at) : "–",
      h("small", {}, `${span(item.seconds * 1000)} · ${size(item.bytes)}`)),
    h("td.retention-packages", {}, packages(item)),
    h("td.retention-class", {}, retentionClass),
    h("td", {}, stateMark(MARKS[item.state], say(`deletion.state.${item.state}`)),
      item.state === "approved" && h("small", {}, say("deletion.effective", { at: minute(item.effective_at) }))),
    h("td", {}, signed(item.proposed_by_name, item.proposed_at), item.reason && h("small", {}, item.reason)),
    h("td", {}, signed(item.approved_by_name, item.approved_at)),
  ];
}

/** A recording in one line, and why it is to be deleted. */
function named(item) {
  const place = inLanguage(item, "site") || say("deletion.voice");
  const parts = [inLanguage(item, "operation"), place, item.officer, item.started_at && minute(item.started_at), span(item.seconds * 1000)];
  return say("deletion.approve.one", { recording: parts.filter(Boolean).join(" · "), name: item.proposed_by_name, reason: item.reason });
}

function packages(item) {
  const { there, fetched } = packagesOf([item]);
  return [there ? say("deletion.packages.count", { count: there }) : "–",
    fetched > 0 && h("small.state-caution", {}, say("deletion.packages.count-fetched", { count: fetched }))];
}

function outcome(item) {
  if (item.state === "done") return [minute(item.ended_at), h("small", { title: item.tombstone }, say("deletion.tombstone", { hash: item.tombstone.slice(0, 16) }))];
  const key = `error.${item.end_reason}`;
  const words = item.ended_by === null && knows(key) ? say(key) : item.end_reason;
  return [item.ended_by_name || say("deletion.by-rule"), h("small", {}, minute(item.ended_at)), h("small", {}, words)];
}
