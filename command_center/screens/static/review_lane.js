// One feed's line of time: what of it is recorded, and what is missing and why, as the server tells it.

import { inLanguage, say } from "./words.js";

const OPENING_MS = 10_000; // so long after the first camera the others may have begun that are waited for

export class Lane {
  constructor(feed) {
    this.feed = feed;
    this.told = [];
    this.missing = new Map(); // recording → the spans of it whose files the store hasn't
  }

  update(told) {
    this.kind = told.kind;
    this.officer = told.officer;
    this.officerId = told.officer_id;
    this.number = told.kind === "voice" ? say("review.voice.number") : String(told.site_ordinal);
    this.ordinal = told.kind === "voice" ? Infinity : told.site_ordinal;
    this.site = told.kind === "voice" ? say("review.voice") : inLanguage(told, "site");
    this.told = told.spans;
    this.spans = patched(told.spans, [...this.missing.values()].flat());
    this.silences = told.silences ?? [];
    this.coveredMs = told.covered_ms;
    this.gapsMs = told.gaps_ms;
  }

  /** Files of a recording are missing: [{since, until, kind}]; gives whether that is news. */
  miss(recording, spans) {
    const before = this.missing.get(recording) ?? [];
    if (before.length === spans.length) return false;
    this.missing.set(recording, spans);
    this.spans = patched(this.told, [...this.missing.values()].flat());
    return true;
  }

  get since() {
    return this.spans[0]?.since ?? null;
  }

  get until() {
    return this.spans.at(-1)?.until ?? null;
  }

  /** The span at a moment: {kind, since, until, recording}; kind "before" and "after" outside of them all. */
  at(moment) {
    const { spans } = this;
    let low = 0;
    let high = spans.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (spans[middle].since <= moment) low = middle + 1;
      else high = middle;
    }
    const span = spans[low - 1];
    if (!span) return { kind: "before", since: -Infinity, until: this.since ?? Infinity };
    return moment < span.until || (moment === span.until && low === spans.length && span.kind === "covered")
      ? span
      : { kind: "after", since: span.until, until: Infinity };
  }

  /** Where only the sound is missing at a moment: {kind, since, until}, or null. */
  silenceAt(moment) {
    return this.silences.find((silence) => silence.since <= moment && moment < silence.until) ?? null;
  }

  /** Where the next gap after a moment (or the last one before it) begins, or null. */
  gapBeside(moment, step) {
    const gaps = this.spans.filter((span) => span.kind !== "covered" && (step > 0 ? span.since > moment + 1 : span.since < moment - 1));
    return (step > 0 ? gaps[0] : gaps.at(-1))?.since ?? null;
  }
}

/** Where to begin to look: the first moment at which every camera has a picture, of those that began soon after the first; or null. */
export function openingOf(lanes) {
  if (lanes.length === 0) return null;
  const latest = Math.min(...lanes.map((lane) => lane.since)) + OPENING_MS;
  const early = lanes.filter((lane) => lane.since <= latest);
  const begins = early.flatMap((lane) => lane.spans.filter((span) => span.kind === "covered").map((span) => span.since));
  const shown = begins.filter((at) => at <= latest && early.every((lane) => lane.at(at).kind === "covered"));
  return shown.length ? Math.min(...shown) : Math.max(...early.map((lane) => lane.since));
}

/** The spans, with what is missing cut out of what was recorded. */
function patched(spans, missing) {
  let found = spans;
  for (const hole of missing) {
    found = found.flatMap((span) => {
      const [since, until] = [Math.max(span.since, hole.since), Math.min(span.until, hole.until)];
      if (span.kind !== "covered" || since >= until) return [span];
      const parts = [{ ...span, until: since }, { ...span, since, until, kind: hole.kind }, { ...span, since: until }];
      return parts.filter((part) => part.since < part.until);
    });
  }
  return found;
}

const WORSE = new Set(["disk_full", "disk_failed", "missing", "deleted", "node"]);

/** Which of the six states a gap is. */
export function gapState(kind) {
  if (kind === "before" || kind === "after" || kind === "officer") return "off";
  return WORSE.has(kind) ? "serious" : "caution";
}

/** What a gap is called. */
export const gapWords = (kind) => say(`review.gap.${kind}`);

/** What it is called that only the sound is missing. */
export const silenceWords = (kind) => say("review.silence", { cause: gapName(kind) });

/** What a gap is called where there is little room. */
export const gapName = (kind) => say(`review.gap.${kind}.short`);
