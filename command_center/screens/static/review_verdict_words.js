// A verification's answer in plain words: a mark for the whole, a line for each part and each finding.

import { clock, day } from "./time.js";
import { say } from "./words.js";

const MOST_SAID = 6;
const OF_PART = { proven: "normal", deleted: "off", left_out: "off", broken: "serious", missing: "serious", unreadable: "caution" };
const OF_WEIGHT = { broken: "serious", unproven: "standby", note: "plain" };
const OF_HEAD = { whole: "normal", deleted: "off", unproven: "standby", unreadable: "caution", nothing: "caution", gone: "serious", broken: "serious", proof: "serious" };

/** What the whole comes to: {kind, state}; `kind` is a word of `review.verdict.head`. */
export function headOf(answer) {
  const kind = kindOf(answer);
  return { kind, state: OF_HEAD[kind] };
}

function kindOf({ verdict, report }) {
  const states = partsOf(report).map((part) => part.state);
  const has = (...wanted) => states.some((state) => wanted.includes(state));
  if (report.findings.some((finding) => finding.code === "database-extra")) return "gone";
  if (verdict === "broken") return states.length === 0 || has("broken", "missing") ? "broken" : "proof";
  if (states.length === 0) return "nothing";
  if (verdict === "unproven") return has("unreadable") ? "unreadable" : "unproven";
  return states.every((state) => state === "deleted") ? "deleted" : "whole";
}

const partsOf = (report) => report.recordings[0]?.spans ?? [];

/** What is proven, since when, and what is missing or wrong: [{state, words}]. */
export function linesOf(answer) {
  const told = answer.report.recordings[0];
  const lines = partsOf(answer.report).map((part) => ({ state: OF_PART[part.state] ?? "standby", words: partWords(part) }));
  const last = partsOf(answer.report).at(-1);
  if (told && !told.closed && last) lines.push({ state: "standby", words: say("review.verdict.until", { time: clock(last.until) }) });
  // What is broken is never left out, wherever it is: the recording may rest on it.
  const broken = answer.findings.filter((finding) => finding.weight === "broken");
  const other = answer.findings.filter((finding) => finding.weight !== "broken" && finding.about === "recording");
  const room = Math.max(0, MOST_SAID - broken.length);
  lines.push(...[...broken, ...other.slice(0, room)].map(findingLine));
  if (other.length > room) lines.push({ state: "plain", words: say("review.verdict.more", { count: other.length - room }) });
  const gaps = (told?.gaps.length ?? 0) + (told?.more_gaps ?? 0);
  if (gaps) lines.push({ state: "plain", words: say("review.verdict.gaps", { count: gaps }) });
  return lines;
}

/** What the ledgers lack that prove this recording and others: [{state, words}]. */
export const proofLines = (answer) => answer.findings.filter((finding) => finding.weight !== "broken" && finding.about === "proof").map(findingLine);

const findingLine = ({ weight, words, count }) => ({ state: OF_WEIGHT[weight], words: count > 1 ? say("review.verdict.found.times", { words, count }) : words });

function partWords(part) {
  const words = say(`review.verdict.part.${part.state}`, {
    since: clock(part.since), until: clock(part.until), proven: part.proven === null ? "" : moment(part.proven), why: part.why,
  });
  return part.state === "proven" && part.stamped !== null ? words + say("review.verdict.stamped", { time: moment(part.stamped) }) : words;
}

/** What has changed since it was checked, or null: `before` and `recording` are the recording then and now. */
export function changeOf(answer, before, recording) {
  if (recording.gone !== before.gone && recording.gone) return { state: "caution", words: say(`review.verdict.since.${recording.gone}`) };
  if (recording.lines > answer.lines) return { state: "caution", words: say("review.verdict.since.grown") };
  return null;
}

export const moment = (ms) => `${day(ms)} ${clock(ms)}`;
