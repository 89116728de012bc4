// Feeds a <video> from a recording's fragments: any moment at once, whether the recording is whole, cut off, or growing.
//
// The index says where each fragment lies and when it was; only what is looked at is fetched.

import { ask } from "./net.js";

const AHEAD_SECONDS = 30;
const STARVED_SECONDS = 600;
const KEPT_SECONDS = 60;
const BATCH_BYTES = 2_000_000;
const GROWTH_MS = 1_000;
const RETRY_MS = 2_000;
const SLACK_SECONDS = 0.15;

export class FragmentSource {
  /** `on.index()` is told when more is known, `on.failed(problem)` when nothing can be had, `on.well()` when it can again. */
  constructor(video, recording, on) {
    this.video = video;
    this.url = `/api/recordings/${recording.id}`;
    this.on = on;
    this.index = null;
    this.next = 0;
    this.isClosed = false;
    this.stop = new AbortController();
    this.wake = () => {};
  }

  async open() {
    this.index = await ask("GET", `${this.url}/index`);
    if (this.isClosed) return;
    this.on.index(this.index);
    if (!window.MediaSource?.isTypeSupported(this.index.mime)) {
      this.video.src = `${this.url}/media`; // a browser that can't be fed plays the file as it is
      return;
    }
    this.media = new MediaSource();
    this.address = URL.createObjectURL(this.media);
    this.video.src = this.address;
    await new Promise((resolve) => this.media.addEventListener("sourceopen", resolve, { once: true }));
    if (this.isClosed) return;
    this.buffer = this.media.addSourceBuffer(this.index.mime);
    this.setDuration();
    await this.append(await this.fetchBytes(0, this.index.header_bytes));
    this.onSeeking = () => this.seek();
    this.onTime = () => this.wake();
    this.video.addEventListener("seeking", this.onSeeking);
    this.video.addEventListener("timeupdate", this.onTime);
    this.video.addEventListener("waiting", this.onTime);
    if (!this.index.is_complete) this.follow();
    this.pump();
  }

  close() {
    this.isClosed = true;
    this.stop.abort();
    this.wake();
    clearTimeout(this.growing);
    for (const [name, handler] of [["seeking", this.onSeeking], ["timeupdate", this.onTime], ["waiting", this.onTime]]) {
      if (handler) this.video.removeEventListener(name, handler);
    }
    this.video.removeAttribute("src");
    this.video.load();
    if (this.address) URL.revokeObjectURL(this.address);
  }

  /** The first moment after `seconds` at which a player can start, or null. */
  keyAfter(seconds) {
    return this.index?.fragments.find((fragment) => fragment.is_key && fragment.start > seconds)?.start ?? null;
  }

  get seconds() {
    return this.index?.seconds ?? 0;
  }

  /** The wall clock (Unix ms) at a moment of the recording. */
  wallAt(seconds) {
    const fragments = this.index?.fragments;
    if (!fragments?.length) return null;
    const fragment = fragments[Math.max(0, lastBefore(fragments, seconds, "start"))];
    return fragment.at + (seconds - fragment.start) * 1000;
  }

  /** The moment of the recording at a wall clock. */
  secondsAt(wallMs) {
    const fragments = this.index?.fragments ?? [];
    const fragment = fragments[Math.max(0, lastBefore(fragments, wallMs, "at"))];
    return fragment ? fragment.start + (wallMs - fragment.at) / 1000 : 0;
  }

  /** Take fragments in from the key frame before the moment that is looked for. */
  seek() {
    if (isBuffered(this.buffer.buffered, this.video.currentTime)) return this.wake();
    const { fragments } = this.index;
    let number = Math.max(0, lastBefore(fragments, this.video.currentTime + 0.001, "start"));
    while (number > 0 && !fragments[number].is_key) number -= 1;
    this.next = number;
    this.wasSought = true;
    this.stop.abort();
    this.stop = new AbortController();
    return this.wake();
  }

  async pump() {
    while (!this.isClosed) {
      try {
        if (!(await this.step())) await new Promise((resolve) => (this.wake = resolve));
      } catch (problem) {
        if (this.isClosed) return;
        if (problem.name === "AbortError") continue;
        if (problem.name === "QuotaExceededError") {
          await this.forget(5);
          await new Promise((resolve) => (this.wake = resolve));
          continue;
        }
        this.on.failed(problem);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** Fetch and append what is wanted next; false where nothing is. */
  async step() {
    if (this.wasSought) {
      this.wasSought = false;
      await this.whenIdle();
      if (this.media.readyState === "open") this.buffer.abort();
    }
    const { fragments } = this.index;
    this.jumpGap();
    if (this.next >= fragments.length) {
      if (this.index.is_complete && this.media.readyState === "open") {
        await this.whenIdle();
        this.media.endOfStream();
      }
      return false;
    }
    const first = fragments[this.next];
    // A picture that stood still for long is written when the next one comes: then one must read on to show it.
    const isStarved = this.video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    if (first.start > this.video.currentTime + (isStarved ? STARVED_SECONDS : AHEAD_SECONDS)) return false;
    let last = this.next;
    while (last + 1 < fragments.length && fragments[last + 1].offset + fragments[last + 1].length - first.offset < BATCH_BYTES
      && fragments[last + 1].start < first.start + AHEAD_SECONDS / 3) last += 1;
    const end = fragments[last].offset + fragments[last].length;
    const data = await this.fetchBytes(first.offset, end - first.offset);
    if (this.wasSought) return true;
    await this.append(data);
    this.next = last + 1;
    this.on.well();
    await this.forget(KEPT_SECONDS);
    return true;
  }

  /** A hole of the recording is passed over: the picture stands where it begins, and goes on where it ends. */
  jumpGap() {
    const { buffered } = this.buffer;
    const at = this.video.currentTime;
    if (this.video.seeking || isBuffered(buffered, at)) return;
    for (let range = 0; range < buffered.length; range += 1) {
      if (buffered.start(range) > at) {
        this.video.currentTime = buffered.start(range) + 0.001;
        return;
      }
    }
  }

  /** Give up what lies further behind than `seconds`, so that a long recording doesn't fill the memory. */
  async forget(seconds) {
    const { buffered } = this.buffer;
    const until = this.video.currentTime - seconds;
    if (!buffered.length || buffered.start(0) >= until - 10) return;
    await this.whenIdle();
    this.buffer.remove(0, until);
    await this.whenIdle();
  }

  async follow() {
    try {
      const more = await ask("GET", `${this.url}/index?after=${this.index.fragments.length}`);
      if (this.isClosed) return;
      this.index.fragments.push(...more.fragments);
      Object.assign(this.index, { seconds: more.seconds, is_complete: more.is_complete, gaps: more.gaps });
      await this.whenIdle();
      if (this.isClosed) return;
      this.setDuration();
      this.on.index(this.index);
      this.on.well();
      this.wake();
    } catch (problem) {
      if (this.isClosed) return;
      this.on.failed(problem);
    }
    if (!this.index.is_complete) this.growing = setTimeout(() => this.follow(), GROWTH_MS);
  }

  setDuration() {
    if (this.media.readyState !== "open") return;
    const { buffered } = this.buffer;
    const end = buffered.length ? buffered.end(buffered.length - 1) : 0;
    this.media.duration = Math.max(this.index.seconds, end);
  }

  async fetchBytes(offset, length) {
    const headers = { Range: `bytes=${offset}-${offset + length - 1}` };
    const response = await fetch(`${this.url}/media`, { headers, signal: this.stop.signal });
    if (!response.ok) throw Object.assign(new Error(`http-${response.status}`), { status: response.status });
    const data = await response.arrayBuffer();
    if (response.status !== 206 || data.byteLength !== length) throw new Error("recording-cut");
    return data;
  }

  async append(data) {
    await this.whenIdle();
    if (this.isClosed) return;
    this.buffer.appendBuffer(data);
    await this.whenIdle();
  }

  async whenIdle() {
    while (!this.isClosed && this.buffer.updating) {
      await new Promise((resolve) => this.buffer.addEventListener("updateend", resolve, { once: true }));
    }
  }
}

function isBuffered(buffered, seconds) {
  for (let range = 0; range < buffered.length; range += 1) {
    if (seconds >= buffered.start(range) - SLACK_SECONDS && seconds < buffered.end(range)) return true;
  }
  return false;
}

/** The number of the last fragment whose `field` isn't after `value`, or -1. */
function lastBefore(fragments, value, field) {
  let low = 0;
  let high = fragments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fragments[middle][field] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
