// One feed's line of time: what of it is recorded, and what is missing and why, as the server tells it.

import { inLanguage, say } from "./words.js";

export class Lane {
  constructor(feed) {
    this.feed = feed;
  }

  update(told) {
    this.kind = told.kind;
    this.officer = told.officer;
    this.officerId = told.officer_id;
    this.number = told.kind === "voice" ? say("review.voice.number") : String(told.site_ordinal);
    this.ordinal = told.kind === "voice" ? Infinity : told.site_ordinal;
    this.site = told.kind === "voice" ? say("review.voice") : inLanguage(told, "site");
    this.spans = told.spans;
    this.coveredMs = told.covered_ms;
    this.gapsMs = told.gaps_ms;
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

  /** Where the next gap after a moment (or the last one before it) begins, or null. */
  gapBeside(moment, step) {
    const gaps = this.spans.filter((span) => span.kind !== "covered" && (step > 0 ? span.since > moment + 1 : span.since < moment - 1));
    return (step > 0 ? gaps[0] : gaps.at(-1))?.since ?? null;
  }
}

const WORSE = new Set(["disk_full", "disk_failed", "missing", "deleted", "node"]);

/** Which of the six states a gap is. */
export function gapState(kind) {
  if (kind === "before" || kind === "after" || kind === "officer") return "off";
  return WORSE.has(kind) ? "serious" : "caution";
}

/** What a gap is called. */
export const gapWords = (kind) => say(`review.gap.${kind}`);

/** What a gap is called where there is little room. */
export const gapName = (kind) => say(`review.gap.${kind}.short`);
