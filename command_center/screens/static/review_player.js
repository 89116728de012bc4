// One camera of the review: a picture that follows the clock, or the words for why there is none.
//
// The media element is a follower: it is sought to the clock's moment, nudged by its rate while it runs, and sought again
// where it is too far off.

import { FeedSource } from "./review_source.js";

const NEAR_SECONDS = 0.015;
const FAR_SECONDS = 0.4;
const NUDGE = 1.6; // of the rate, for each second that it is off
const MOST_NUDGE = 0.2;
const SEEK_AGAIN_MS = 700;
const STUCK_MS = 900;
const LOUDEST_RATE = 4;
const LOOK_AHEAD_MS = 8_000;

const UNTOLD = new Set(["loading", "over", "unknown"]); // of these the time line knows more

export class Follower {
  /**
   * `on.shown(what, kind, silence)`: "live", "loading", "gap" (of that kind); `silence` is null where sound is recorded, or the
   * kind of gap in which it isn't; `on.failed(problem)`, `on.well()`.
   */
  constructor(media, clock, on) {
    this.media = media;
    this.clock = clock;
    this.on = on;
    this.lane = null;
    this.isHeard = false;
    this.soughtFor = null;
    this.soughtAt = -Infinity;
    this.source = new FeedSource(media, on);
    media.addEventListener("error", () => media.error && media.src && this.source.passDamage(this.clock.now));
    media.muted = true;
  }

  /** Follow the lane of a feed; `recordings` are those of it, by time. */
  follow(lane, recordings) {
    this.lane = lane;
    this.source.setRecordings(recordings);
  }

  close() {
    this.clock.release(this);
    this.source.close();
  }

  /** Let it be heard, if the speed allows. */
  hear(isHeard) {
    this.isHeard = isHeard;
    this.paintSound();
  }

  paintSound() {
    const isMuted = !this.isHeard || this.clock.rate > LOUDEST_RATE;
    if (this.media.muted !== isMuted) this.media.muted = isMuted;
  }

  /** The clock jumped. */
  sought() {
    this.soughtFor = null;
    this.step(true);
  }

  /** Bring the picture to the clock's moment; called often. */
  step(jumps = false) {
    if (!this.lane) return;
    const at = this.clock.now;
    const span = this.lane.at(at);
    this.source.want(at, this.clock.rate, jumps);
    this.paintSound();
    const state = this.source.stateAt(at);
    if (state === "ready") return this.show(at);
    if (state === "over" && span.kind === "covered") return this.stand(at);
    if (state === "loading" && (span.kind === "covered" || span.kind === "after")) return this.load();
    this.rest(state !== null && !UNTOLD.has(state) ? state : span.kind === "covered" ? "unknown" : span.kind);
    if (span.until - at < LOOK_AHEAD_MS * Math.max(1, this.clock.rate)) this.source.want(at, this.clock.rate);
  }

  show(at) {
    const { media, clock } = this;
    const hole = this.source.holeAt(at);
    const to = this.source.seconds(at);
    const off = media.currentTime - to;
    const isRecent = performance.now() - this.soughtAt < SEEK_AGAIN_MS;
    const wasSought = this.soughtFor !== null;
    const far = clock.rate > 2 ? 2 * FAR_SECONDS : FAR_SECONDS;
    if (!wasSought || (!media.seeking && !clock.isRunning && Math.abs(off) > 0.0005) || (Math.abs(off) > far && !isRecent)) {
      this.seek(at, to);
    }
    if (media.seeking || media.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) {
      // Chromium ends no seek into a hole of picture and sound; there is nothing to wait for.
      const isStuck = performance.now() - this.soughtAt > STUCK_MS && this.source.isAtEdge(at);
      if (!isStuck && hole === null) return this.load();
    }
    const silence = this.source.silenceAt(at);
    if (hole === null) this.tell("live", null, silence);
    else this.tell("gap", hole, silence); // the picture from before it is not what was there; what was said is heard
    clock.release(this);
    if (!clock.isRunning) {
      if (!media.paused) media.pause();
      return;
    }
    this.run(media.currentTime - this.source.seconds(clock.now));
  }

  /** The last picture before a gap stands until the gap begins. */
  stand(at) {
    const to = this.source.lastBefore(at);
    if (this.soughtFor === null && Math.abs(this.media.currentTime - to) > FAR_SECONDS) this.seek(at, to);
    if (!this.media.paused) this.media.pause();
    this.clock.release(this);
    this.tell("live");
  }

  seek(at, to) {
    this.soughtFor = at;
    this.soughtAt = performance.now();
    if (!this.clock.isRunning && !this.media.paused) this.media.pause();
    this.media.currentTime = to;
  }

  /** Run with the clock; who is behind runs a little faster. */
  run(off) {
    const { media, clock } = this;
    const nudge = Math.abs(off) < NEAR_SECONDS ? 0 : Math.max(-MOST_NUDGE, Math.min(MOST_NUDGE, -off * NUDGE));
    const rate = Math.round(clock.rate * (1 + nudge) * 1000) / 1000;
    if (media.playbackRate !== rate) media.playbackRate = rate;
    if (media.paused) media.play().catch(() => null); // paused again before it could begin: the next step sees to it
  }

  load() {
    this.tell("loading");
    this.clock.hold(this);
    if (!this.clock.isRunning && !this.media.paused) this.media.pause();
  }

  /** There is nothing to show. */
  rest(kind) {
    this.soughtFor = null;
    this.clock.release(this);
    if (!this.media.paused) this.media.pause();
    this.tell("gap", kind);
  }

  tell(what, kind = null, silence = undefined) {
    this.shown = what;
    this.on.shown(what, kind, silence);
  }
}
