// One row of the table of terms: last day, what is left, whose it is, its alarm, and what may be done.

import { h, stateMark } from "./dom.js";
import { money } from "./money.js";
import { minute } from "./time.js";
import { say } from "./words.js";

const STATES = { lapsed: "critical", last_day: "critical", near: "serious", soon: "caution", ahead: "standby", far: "normal" };

/** Rows for `items` as the API answers them; `acknowledge(alarm, button)` answers an alarm. */
export const termRows = (items, mayControl, acknowledge) => items.map((item) => row(item, mayControl, acknowledge));

function row(item, mayControl, acknowledge) {
  return h("tr", { dataset: { measure: item.measure_id, severity: item.severity } },
    h("td.term-ends", { title: say("asset.term.rule") },
      h("b", {}, item.ends_on), h("small", {}, say("asset.term.rule")),
      item.renew_by !== item.ends_on && h("small.state-caution", {}, say("term.renew-by", { date: item.renew_by }))),
    h("td", {}, stateMark(STATES[item.severity], say(`term.severity.${item.severity}`)), h("small", {}, left(item))),
    h("td", {}, item.case_number, h("small", {}, `${item.court_name} · ${item.judge_name}`)),
    h("td", {}, `${say(`asset.kind.${item.kind}`)} ${item.reference}`, h("small", {}, `${item.person} · ${item.description}`)),
    h("td.term-number", {}, item.kind === "bank_account" ? money(item.controlled_cents) : "—"),
    h("td", {}, alarmWords(item.alarm)),
    h("td.term-deeds", {},
      mayControl && item.alarm !== null && item.alarm.acknowledged_at === null && h("button", {
        type: "button", dataset: { deed: "acknowledge" }, onclick: (event) => acknowledge(item.alarm, event.currentTarget),
      }, say("term.acknowledge")),
      h("a", { href: `/assets?measure=${item.measure_id}`, dataset: { deed: "renew" } },
        say(mayControl && item.severity !== "lapsed" ? "term.renew" : "term.open"))));
}

function left(item) {
  if (item.days_left < 0) return say("term.over", { days: -item.days_left });
  return say("term.left", { days: item.days_left, working: item.working_days_left });
}

function alarmWords(alarm) {
  if (alarm === null) return h("span.term-quiet", {}, say("term.alarm.none"));
  const what = alarm.days_before < 0 ? say("term.alarm.lapsed") : alarm.days_before === 0 ? say("term.alarm.day") : say("term.alarm.days", { days: alarm.days_before });
  const answered = alarm.acknowledged_at !== null;
  const who = answered
    ? say("term.alarm.acknowledged", { name: alarm.acknowledged_by_name, time: minute(alarm.acknowledged_at) })
    : say("term.alarm.open", { time: minute(alarm.raised_at) });
  return [answered ? h("span", {}, what) : stateMark("serious", what), h("small", {}, who)];
}
