// The one clock of the review: the moment of the wall clock that all cameras, the map and the list show.
//
// It runs by the browser's own clock. Whoever follows it and isn't ready holds it for a while, so that a jump ends with all
// pictures standing; who takes longer than that is left behind, and says so.

export const SPEEDS = [0.5, 1, 2, 4, 8];
const HOLD_MS = 4_000;
const TICK_MS = 40;

export class Clock {
  constructor() {
    this.since = 0;
    this.until = 0;
    this.isOpen = false; // what is shown goes on: there is more to come at its end
    this.isPlaying = false;
    this.rate = 1;
    this.base = 0; // the moment at `from`
    this.from = performance.now();
    this.holds = new Map();
    this.late = new Set();
    this.handlers = { change: [], tick: [] };
    this.ticking = null;
  }

  /** Be told of a `change` (what: "seek", "play", "rate", "bounds"), or of each `tick`: handler(what). */
  on(name, handler) {
    this.handlers[name].push(handler);
  }

  /** The moment that is shown, Unix ms. */
  get now() {
    if (!this.isRunning) return this.base;
    return Math.min(this.until, this.base + (performance.now() - this.from) * this.rate);
  }

  /** Whether the moment moves: it plays, and nobody holds it. */
  get isRunning() {
    return this.isPlaying && this.holds.size === 0;
  }

  /** What there is to be shown; the moment stays where it is, if it can. */
  setBounds(since, until) {
    if (since === this.since && until === this.until) return;
    const now = this.now;
    this.since = since;
    this.until = until;
    this.set(clamp(now, since, until));
    this.tell("change", "bounds");
  }

  /** Show another moment. */
  seek(at) {
    this.holds.clear();
    this.late.clear();
    this.set(clamp(Math.round(at), this.since, this.until));
    this.tell("change", "seek");
  }

  play() {
    if (this.isPlaying) return;
    const { now } = this;
    this.set(now >= this.until && !this.isOpen ? this.since : now);
    this.isPlaying = true;
    this.tell("change", "play");
  }

  pause() {
    if (!this.isPlaying) return;
    this.set(this.now);
    this.isPlaying = false;
    this.holds.clear();
    this.tell("change", "play");
  }

  toggle() {
    if (this.isPlaying) this.pause();
    else this.play();
  }

  setRate(rate) {
    this.set(this.now);
    this.rate = rate;
    this.tell("change", "rate");
  }

  /** Go to the next speed up (1) or down (-1). */
  faster(step) {
    const place = SPEEDS.indexOf(this.rate) + step;
    if (place >= 0 && place < SPEEDS.length) this.setRate(SPEEDS[place]);
  }

  /** `who` isn't ready: stand still, unless that has lasted too long already. */
  hold(who) {
    if (!this.isPlaying || this.holds.has(who) || this.late.has(who)) return;
    this.set(this.now);
    this.holds.set(who, performance.now());
  }

  /** `who` is ready. */
  release(who) {
    this.late.delete(who);
    if (!this.holds.has(who)) return;
    this.set(this.now);
    this.holds.delete(who);
    if (this.isRunning) this.tell("tick");
  }

  /** Whether it stands although it plays: somebody is waited for. */
  get isHeld() {
    return this.isPlaying && this.holds.size > 0;
  }

  start() {
    this.ticking ??= setInterval(() => this.tick(), TICK_MS);
  }

  stop() {
    clearInterval(this.ticking);
    this.ticking = null;
  }

  tick() {
    const limit = performance.now() - HOLD_MS;
    for (const [who, since] of this.holds) {
      if (since > limit) continue;
      this.late.add(who); // before anybody is told: it isn't ready yet, and would hold again
      this.set(this.now);
      this.holds.delete(who);
    }
    if (this.isRunning && this.now >= this.until) {
      if (this.isOpen) this.set(this.until);
      else this.pause();
    }
    this.tell("tick");
  }

  set(at) {
    this.base = at;
    this.from = performance.now();
  }

  tell(name, what) {
    for (const handler of this.handlers[name]) handler(what);
  }
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));
