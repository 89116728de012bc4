// How the page of sanctions tells states, checks and days.

import { h, stateMark } from "./dom.js";
import { money } from "./money.js";
import { knows, say } from "./words.js";

export const STATES = [
  "proposed", "under_review", "decided", "served", "published", "corrected", "shielded", "deleted", "expired", "refused", "withdrawn",
];
const STATE_MARKS = {
  proposed: "standby", under_review: "standby", decided: "caution", served: "caution", published: "normal", corrected: "normal", shielded: "serious",
};
const OUTCOME_MARKS = { pass: "normal", fail: "critical", no_data: "caution", not_applicable: "off" };

/** A day that no line breaks in two. */
export const whole = (day) => day.replaceAll("-", "-\u2060");

/** A sanction's state; what is deleted of a limit is lifted. */
export function stateOf({ kind, state }) {
  const own = `sanction.state.${kind}.${state}`;
  return stateMark(STATE_MARKS[state] ?? "off", say(knows(own) ? own : `sanction.state.${state}`));
}

/** A check's outcome, in shape, colour and word. */
export const outcomeOf = (check) => stateMark(OUTCOME_MARKS[check.outcome], say(`sanction.outcome.${check.outcome}`));

/** What a check rests on. */
export function evidenceOf({ code, outcome, evidence }) {
  const filled = { ...evidence };
  for (const name of ["cover_cents", "claim_cents", "received_cents"]) if (name in filled) filled[name.replace("_cents", "")] = money(filled[name]);
  if ("security" in filled) filled.security = say(`sanction.security.${filled.security}`);
  const key = `sanction.check.${code}.${outcome}`;
  const without = `${key}.none`; // where nothing at all is on record
  if (!Object.keys(evidence).length && knows(without)) return say(without);
  return knows(key) ? say(key, filled) : "";
}

/** Until when it has to be deleted. */
export function clockOf(clock, isLive) {
  const state = clock.is_overdue ? "critical" : isLive ? "serious" : "off";
  const key = clock.is_overdue ? (isLive ? "overdue" : "was-late") : isLive ? "due" : "in-time";
  return h("span.sanction-clock", {},
    stateMark(state, say(`sanction.clock.${key}`, { day: whole(clock.due_on) })),
    clock.years_without_holidays.length > 0 && h("small", {}, say("sanction.clock.no-holidays", { years: clock.years_without_holidays.join(say("asset.list.separator")) })));
}

export const isLive = (state) => !["deleted", "expired", "refused", "withdrawn"].includes(state);

/** The term of a listing. */
export function termOf(line) {
  if (line.ends_on) return say("sanction.term", { start: whole(line.starts_on), end: whole(line.ends_on) });
  if (line.starts_on) return say("sanction.term.open", { start: whole(line.starts_on) });
  return "–";
}

/** What a limit's end is called is not what a listing's is. */
export function deedWords(deed, { line }) {
  const own = `sanction.deed.${line.kind}.${deed}`;
  return say(knows(own) ? own : `sanction.deed.${deed}`);
}
