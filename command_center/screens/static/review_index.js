// The index of one recording: where each fragment lies in its files, and when it was by the clock on the wall.

import { askInReview } from "./review_session.js";

const APART_MS = 20;
const JUMP_MS = 400;
const READ_MS = 30_000;
const SILENCE_MS = 1_000; // of so much sound the reviewer is told

export class RecordingIndex {
  constructor(recording) {
    this.id = recording.id;
    this.url = `/api/recordings/${recording.id}`;
    this.segments = new Map();
    this.fragments = [];
    this.gaps = [];
    this.broken = new Set(); // numbers of fragments that the browser can't decode
    this.isComplete = false;
    this.shift = null;
  }

  /** Read it, or what is new of it; gives whether anything was. */
  async read() {
    const answer = await askInReview("GET", `${this.url}/index?after=${this.fragments.length}`, undefined, { timeoutMs: READ_MS });
    for (const segment of answer.segments) this.segments.set(segment.number, segment);
    for (const fragment of answer.fragments) this.take(fragment);
    this.gaps = answer.gaps;
    this.isComplete = answer.is_complete;
    return answer.fragments.length > 0;
  }

  /**
   * Give a fragment its place on the wall clock. What a file holds stays together: its place is moved against the clock only
   * where a player can start, and only when they are apart by more than anybody sees.
   */
  take(fragment) {
    const segment = this.segments.get(fragment.segment);
    if (!segment) return;
    const told = fragment.at - (fragment.start - segment.start) * 1000;
    const isOther = fragment.segment !== this.shiftOf;
    const apart = isOther ? Infinity : Math.abs(told - this.shift);
    if (isOther || apart > JUMP_MS || (fragment.is_key && apart > APART_MS)) {
      this.shift = told;
      this.shiftOf = fragment.segment;
    }
    const since = this.shift + (fragment.start - segment.start) * 1000;
    // Pictures that came late lie within the sound before them.
    const before = isOther ? -Infinity : this.until;
    // `origin`: the moment at which the time of the segment's file is zero.
    this.fragments.push({ ...fragment, origin: this.shift, since, until: Math.max(since + fragment.seconds * 1000, before) });
  }

  /** The number of the last fragment that begins at or before `at`, or -1. */
  place(at) {
    let low = 0;
    let high = this.fragments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.fragments[middle].since <= at) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Where a player must begin to show `at`: the number of the last key fragment that isn't after it. */
  keyFor(at) {
    let number = Math.max(0, this.place(at + 1));
    while (number > 0 && !this.fragments[number].is_key) number -= 1;
    return number;
  }

  /** The number of the first key fragment behind that of this number, or how many fragments there are. */
  nextKey(number) {
    let next = number + 1;
    while (next < this.fragments.length && !this.fragments[next].is_key) next += 1;
    return next;
  }

  get since() {
    return this.fragments[0]?.since ?? null;
  }

  get until() {
    return this.fragments.at(-1)?.until ?? null;
  }

  /** The spans of the wall clock whose files the store hasn't, or whose bytes are damaged. */
  get missing() {
    const gone = [...this.segments.values()].filter(whyGone).map((segment) => ({
      since: segment.at, until: segment.at + segment.seconds * 1000, kind: whyGone(segment),
    }));
    return gone.concat([...this.broken].map((number) => {
      const { since, until } = this.fragments[number];
      return { since, until, kind: "broken" };
    }));
  }

  /** The kind of the gap in which no picture came at `at`, or null: the last one before it may have been stretched over it. */
  holeAt(at) {
    return this.gaps.find((gap) => gap.track !== "audio" && at >= gap.since && at < gap.until)?.kind ?? null;
  }

  /** The kind of the gap in which no sound came at `at`, null where it goes on; undefined where there is none to come. */
  silenceAt(at) {
    const fragment = this.fragments[this.place(at + 1)];
    if (!fragment || !this.segments.get(fragment.segment).has_sound) return undefined;
    const isSilent = (gap) => gap.track !== "video" && at >= gap.since && at < gap.until && gap.until - gap.since >= SILENCE_MS;
    return this.gaps.find(isSilent)?.kind ?? null;
  }

  /** Whether there is something to show at `at`, and if not, which kind of gap it is. */
  gapAt(at, slackMs = 250) {
    const fragment = this.fragments[this.place(at + 1)];
    if (fragment && at < fragment.until + slackMs) {
      return whyGone(this.segments.get(fragment.segment));
    }
    return this.gaps.find((gap) => gap.track !== "audio" && at >= gap.since - slackMs && at < gap.until + slackMs)?.kind ?? "unknown";
  }
}

/** Why a segment's file can't be had, or null. */
export const whyGone = (segment) => (segment.is_deleted ? "deleted" : segment.is_missing ? "missing" : null);
