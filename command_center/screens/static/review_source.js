// The recordings of one feed as one stream on the wall clock: fetches what the moment needs, a little ahead, and forgets the rest.

import { MediaBuffer } from "./review_buffer.js";
import { RecordingIndex, whyGone } from "./review_index.js";
import { Problem } from "./net.js";
import { reviewHeaders } from "./review_session.js";

const AHEAD_MS = 12_000;
const KEPT_MS = 30_000;
const FAR_MS = 90_000;
const AT_ONCE_MS = 600; // of what is fetched first after a jump
const BATCH_MS = 6_000;
const BATCH_BYTES = 3_000_000;
const GROWTH_MS = 1_000;
const EDGE_MS = 8_000; // so much later what is recorded now may come
const RETRY_MS = 2_000;
const KEPT_INDEXES = 8;
const KEPT_HEADERS = 64;
const SLACK_SECONDS = 0.15;
const EDGE_OF_FILE_MS = 500;
const LAST_FRAME_SECONDS = 0.03;
const FETCH_MS = 20_000;
const CAREFUL_MS = 20_000; // so long nothing is decoded ahead of its moment
const DAY_MS = 86_400_000;
const GONE = new Set(["recording-missing", "recording-not-found"]);

export class FeedSource {
  /**
   * `on.failed(problem)` when something can't be had for now, `on.well()` when it can again; `on.missing(recording, spans)`
   * for what the store hasn't.
   */
  constructor(media, on) {
    this.buffer = new MediaBuffer(media);
    this.on = on;
    this.recordings = [];
    this.indexes = new Map();
    this.headers = new Map();
    this.appended = new Map(); // key of a fragment → its beginning
    this.repeated = new Set();
    this.last = null; // key of the fragment appended last
    this.target = null;
    this.rate = 1;
    this.epoch = 0;
    this.suspect = null; // key of what the browser couldn't decode, perhaps
    this.carefulUntil = -Infinity;
    this.isClosed = false;
    this.wake = () => {};
    this.stop = new AbortController();
    this.pump();
  }

  /** `recordings`: [{id, since, until, gone}], by time; `until` is null while one grows, `gone` why nothing of it can be had. */
  setRecordings(recordings) {
    if (!this.epoch && recordings.length) this.epoch = recordings[0].since - DAY_MS;
    const gone = new Map(this.recordings.map((one) => [one.id, one.gone]));
    this.recordings = recordings.map((one) => ({ ...one, gone: one.gone ?? gone.get(one.id) ?? null }));
    this.wake();
  }

  /** Seconds of the media element at a moment, and back. */
  seconds(at) {
    return (at - this.epoch) / 1000;
  }

  moment(seconds) {
    return this.epoch + seconds * 1000;
  }

  /** Have the moment ready, and what follows. `jumps`: what is under way for another moment isn't wanted any more. */
  want(at, rate, jumps = false) {
    this.target = at;
    this.rate = rate;
    if (jumps && !this.isBuffered(at)) {
      this.stop.abort();
      this.stop = new AbortController();
    }
    this.wake();
  }

  isBuffered(at) {
    return this.buffer.endOf(this.seconds(at), SLACK_SECONDS) !== null;
  }

  /** "ready", "loading", "over" (its last picture stands), or the kind of gap that there is at the moment; null where no recording is. */
  stateAt(at) {
    const recording = this.covering(at);
    if (!recording) return null;
    if (recording.gone) return recording.gone;
    const index = this.indexes.get(recording.id);
    if (!index?.isRead) return "loading";
    const number = index.place(at + 1);
    if (index.broken.has(number)) return "broken";
    if (!index.isComplete && index.until !== null && at >= index.until) return at < index.until + EDGE_MS ? "loading" : null;
    if (number < 0 && index.since !== null) return at < index.since - 250 ? "unknown" : "loading";
    const gap = index.gapAt(at);
    if (gap) return gap;
    if (this.isBuffered(at)) return "ready";
    // The last picture before a gap ends a little before what the manifest tells of it.
    const isOver = this.appended.has(keyOf(index, number)) && at > index.fragments[number].until - EDGE_OF_FILE_MS;
    return isOver ? "over" : "loading";
  }

  /** The kind of the gap in which no picture came, where the recording itself goes on; or null. */
  holeAt(at) {
    const recording = this.covering(at);
    return (recording && this.indexes.get(recording.id)?.holeAt(at)) ?? null;
  }

  /** The kind of the gap in which no sound came, null where it goes on, undefined where none is recorded. */
  silenceAt(at) {
    const recording = this.covering(at);
    return recording && this.indexes.get(recording.id)?.silenceAt(at);
  }

  /** Seconds of the media element at which the last picture before `at` stands. */
  lastBefore(at) {
    const end = this.buffer.endOf(this.seconds(at - EDGE_OF_FILE_MS), SLACK_SECONDS) ?? this.seconds(at);
    return Math.min(this.seconds(at), end - LAST_FRAME_SECONDS);
  }

  /** Whether what is there ends right after the moment: a decoder may keep its last pictures to itself. */
  isAtEdge(at) {
    const end = this.buffer.endOf(this.seconds(at), SLACK_SECONDS);
    return end !== null && end - this.seconds(at) < EDGE_OF_FILE_MS / 1000;
  }

  /**
   * The browser couldn't decode something, here or ahead: what belongs to the moment is tried by itself, and only if that fails
   * too it is damaged, up to the next key frame.
   */
  passDamage(at) {
    if (this.buffer.isClosed) return; // it was told already
    const recording = this.covering(at);
    const index = recording && this.indexes.get(recording.id);
    this.reset();
    if (!index?.isRead) return;
    const first = index.keyFor(at);
    const key = keyOf(index, first);
    if (this.suspect === key) this.breakOff(index, first, index.nextKey(first));
    this.suspect = key;
    this.carefulUntil = at + CAREFUL_MS;
  }

  breakOff(index, from, to) {
    for (let number = from; number < to; number += 1) index.broken.add(number);
    this.on.missing(index.id, index.missing);
  }

  close() {
    this.isClosed = true;
    this.stop.abort();
    this.wake();
    this.buffer.close();
  }

  reset() {
    this.buffer.close();
    this.appended.clear();
    this.repeated.clear();
    this.last = this.tracks = null;
    this.wake();
  }

  covering(at) {
    const found = this.recordings.findLast((one) => one.since <= at + 1);
    return found && (found.until === null || at < found.until + 300) ? found : null;
  }

  async pump() {
    while (!this.isClosed) {
      try {
        if (!(await this.step())) await new Promise((resolve) => (this.wake = resolve));
      } catch (problem) {
        if (this.isClosed) return;
        if (problem.name === "AbortError") continue;
        await this.recover(problem);
      }
    }
  }

  async recover(problem) {
    if (problem.name === "QuotaExceededError") return this.forget(5_000, 20_000);
    if (problem.code === "broken" || problem.name === "InvalidStateError") return this.passDamage(this.target);
    this.on.failed(problem);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }

  /** Fetch and append what is wanted next; false where nothing is. */
  async step() {
    if (this.target === null) return false;
    const at = this.target;
    let place = this.recordings.findLastIndex((one) => one.since <= at + 1);
    place = Math.max(0, place);
    for (; place < this.recordings.length; place += 1) {
      const recording = this.recordings[place];
      if (recording.since > at + this.ahead) break;
      if (recording.gone || (recording.until !== null && recording.until + 300 < at)) continue;
      const index = await this.indexOf(recording);
      if (!index) continue;
      if (await this.fill(index, at)) return true;
      if (this.target !== at) return true;
      if (!index.isComplete && (await this.grow(index, at))) return true;
    }
    return this.forget(KEPT_MS, FAR_MS);
  }

  get ahead() {
    return AHEAD_MS * Math.max(1, this.rate / 2);
  }

  async indexOf(recording) {
    let index = this.indexes.get(recording.id);
    if (index?.isRead) return index;
    index ??= new RecordingIndex(recording);
    this.indexes.set(recording.id, index);
    try {
      await index.read();
    } catch (problem) {
      this.indexes.delete(recording.id);
      if (!GONE.has(problem.code) && problem.status !== 404) throw problem;
      recording.gone = problem.code === "recording-deleted" ? "deleted" : "missing";
      this.on.missing(recording.id, [{ since: recording.since, until: recording.until ?? Date.now(), kind: recording.gone }]);
      return null;
    }
    index.isRead = true;
    this.on.missing(index.id, index.missing);
    index.readAt = performance.now();
    this.on.well();
    for (const [id, old] of this.indexes) {
      if (this.indexes.size <= KEPT_INDEXES) break;
      if (old !== index) this.indexes.delete(id);
    }
    return index;
  }

  async grow(index, at) {
    if (at + this.ahead < index.until || performance.now() - index.readAt < GROWTH_MS) return false;
    index.readAt = performance.now();
    const isMore = await index.read();
    this.on.well();
    return isMore;
  }

  /** Append the first fragments of the recording that are wanted and not there; false where all are. */
  async fill(index, at) {
    const { fragments } = index;
    if (fragments.length === 0) return false;
    const first = index.keyFor(at);
    const end = at < this.carefulUntil ? index.nextKey(first) : fragments.length;
    this.checkEvicted(index, first, at);
    let number = first;
    while (number < end && fragments[number].since <= at + this.ahead && !this.isWanted(index, number)) number += 1;
    if (number >= end || fragments[number].since > at + this.ahead) return false;
    // What follows isn't what was appended last: the decoder must begin at a key frame.
    if (this.last !== keyOf(index, number - 1)) while (number > 0 && !fragments[number].is_key) number -= 1;
    return this.take(index, number, at, end);
  }

  isWanted(index, number) {
    const segment = index.segments.get(index.fragments[number].segment);
    return !whyGone(segment) && !index.broken.has(number) && !this.appended.has(keyOf(index, number));
  }

  /** A browser may have thrown away what it had no room for: then it is fetched again, once. */
  checkEvicted(index, first, at) {
    const number = index.place(at + 1);
    const key = keyOf(index, number);
    if (!this.appended.has(key) || this.isBuffered(at) || this.repeated.has(key)) return;
    if (at > index.fragments[number].until - 100) return;
    this.repeated.add(key);
    for (let each = first; each <= number; each += 1) this.appended.delete(keyOf(index, each));
  }

  async take(index, number, at, end) {
    const { fragments } = index;
    const first = fragments[number];
    const segment = index.segments.get(first.segment);
    const tracks = `${segment.width > 0} ${segment.has_sound}`;
    if (tracks !== this.tracks || !this.buffer.isOpen) {
      // Other tracks need another decoder, and what it has is lost: not before its moment has come.
      if (this.tracks && this.buffer.isOpen && first.since > at + 1) return false;
      if (!MediaSource.isTypeSupported(segment.mime)) return this.pass(index, number);
      this.reset();
      await this.buffer.open(segment.mime);
      this.tracks = tracks;
    }
    const last = this.batch(index, number, at, end);
    const file = { key: `${index.id} ${segment.number}`, mime: segment.mime };
    const url = `${index.url}/segments/${segment.number}`;
    const { offset } = first;
    const length = fragments[last].offset + fragments[last].length - offset;
    let pieces;
    try {
      pieces = await Promise.all([
        this.buffer.has(file) ? null : this.headerOf(file, url, segment.header_bytes),
        this.fetchBytes(url, offset, length),
      ]);
    } catch (problem) {
      if (problem.status !== 404 && !GONE.has(problem.code)) throw problem;
      segment.is_missing = true;
      this.on.missing(index.id, index.missing);
      return true;
    }
    const isThere = await this.buffer.append(file, pieces[0], pieces[1], this.seconds(first.origin));
    if (!isThere) return true;
    for (let each = number; each <= last; each += 1) this.appended.set(keyOf(index, each), fragments[each].since);
    this.last = keyOf(index, last);
    this.on.well();
    return true;
  }

  /** The browser has no decoder for this file. */
  pass(index, number) {
    const { segment } = index.fragments[number];
    let end = number;
    while (index.fragments[end]?.segment === segment) end += 1;
    this.breakOff(index, number, end);
    return true;
  }

  /** The number of the last fragment that is fetched together with this one. */
  batch(index, number, at, end) {
    const { fragments } = index;
    const first = fragments[number];
    const isUrgent = !this.isBuffered(at) && first.since <= at;
    const until = isUrgent ? at + AT_ONCE_MS * Math.max(1, this.rate) : first.since + BATCH_MS;
    let last = number;
    while (last + 1 < end) {
      const before = fragments[last];
      const next = fragments[last + 1];
      const isNext = next.segment === first.segment && next.origin === first.origin && next.offset === before.offset + before.length;
      if (!isNext || next.since > until || next.offset + next.length - first.offset > BATCH_BYTES) break;
      last += 1;
    }
    return last;
  }

  async headerOf(file, url, bytes) {
    let header = this.headers.get(file.key);
    if (!header) {
      header = await this.fetchBytes(url, 0, bytes);
      if (this.headers.size >= KEPT_HEADERS) this.headers.clear();
      this.headers.set(file.key, header);
    }
    return header;
  }

  async fetchBytes(url, offset, length) {
    const headers = { Range: `bytes=${offset}-${offset + length - 1}`, ...reviewHeaders() };
    let response;
    try {
      response = await fetch(url, { headers, signal: AbortSignal.any([this.stop.signal, AbortSignal.timeout(FETCH_MS)]) });
    } catch (problem) {
      if (problem.name === "AbortError") throw problem;
      throw new Problem(0, null);
    }
    if (!response.ok) throw new Problem(response.status, await response.json().catch(() => null));
    const data = await response.arrayBuffer();
    if (response.status !== 206 || data.byteLength !== length) throw new Problem(response.status, { code: "recording-cut" });
    return data;
  }

  /** Give up what lies far from the moment, so that hours don't fill the memory. */
  async forget(behindMs, aheadMs) {
    const { span } = this.buffer;
    if (!span || this.target === null) return false;
    const [from, to] = [this.target - behindMs, this.target + aheadMs];
    if (this.moment(span[0]) < from - 10_000) await this.drop(-Infinity, from);
    if (this.moment(span[1]) > to + 10_000) await this.drop(to, Infinity);
    return false;
  }

  async drop(from, to) {
    const [first, last] = this.buffer.span;
    await this.buffer.remove(Math.max(first, this.seconds(from)), Math.min(last + 1, this.seconds(to)));
    // Frames that build on what was removed went with it.
    for (const [key, since] of this.appended) if (since > from - 5_000 && since < to + 5_000) this.appended.delete(key);
    this.last = null;
  }
}

const keyOf = (index, number) => `${index.id} ${number}`;
