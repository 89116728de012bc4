// How much of the operation the time line shows, and where a moment lies in it.

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const LEAST_MS = 10 * SECOND;
const CHINA_MS = 8 * HOUR; // without summer time: days begin there
const STEPS = [1, 2, 5, 10, 15, 30].map((n) => n * SECOND)
  .concat([1, 2, 5, 10, 15, 30].map((n) => n * MINUTE), [1, 2, 3, 6, 12, 24].map((n) => n * HOUR));
const MARGIN = 0.012;
const PAGE = 0.08; // the moment comes to here when the view moves on by itself

export class Scale {
  constructor() {
    this.since = 0;
    this.until = 1;
    this.from = 0;
    this.to = 1;
    this.width = 1;
    this.isWhole = true;
    this.isHeld = false; // somebody moved the view: it doesn't follow by itself
  }

  /** What there is to be shown. */
  setBounds(since, until) {
    this.since = since;
    this.until = until;
    if (this.isWhole) this.whole();
  }

  whole() {
    const margin = Math.max(LEAST_MS / 2, (this.until - this.since) * MARGIN);
    this.from = this.since - margin;
    this.to = this.until + margin;
    this.isWhole = true;
    this.isHeld = false;
  }

  get length() {
    return this.to - this.from;
  }

  x(at) {
    return ((at - this.from) / this.length) * this.width;
  }

  at(x) {
    return this.from + (x / this.width) * this.length;
  }

  /** Show `factor` times as much, with `around` staying where it is. */
  zoom(factor, around) {
    const longest = this.until - this.since + 2 * Math.max(LEAST_MS / 2, (this.until - this.since) * MARGIN);
    const length = Math.min(longest, Math.max(LEAST_MS, this.length * factor));
    if (length >= longest) return this.whole();
    const share = (around - this.from) / this.length;
    this.isWhole = false;
    return this.moveTo(around - share * length, length);
  }

  /** Move the view by hand. */
  pan(ms) {
    this.isHeld = true;
    this.moveTo(this.from + ms, this.length);
  }

  moveTo(from, length) {
    const margin = length * 0.5;
    this.from = Math.min(Math.max(from, this.since - margin), this.until + margin - length);
    this.to = this.from + length;
    return undefined;
  }

  /** Bring the moment into sight; gives whether the view moved. */
  follow(at) {
    if (this.isHeld || this.isWhole || (at >= this.from && at <= this.to - this.length * 0.02)) return false;
    this.moveTo(at - this.length * PAGE, this.length);
    return true;
  }

  /** Let go a view that was moved by hand. */
  release(at) {
    this.isHeld = false;
    return this.follow(at);
  }

  /** The moments to write under the line, so far apart that they can be read: {step, moments}. */
  ticks(apartPx) {
    const least = (apartPx / this.width) * this.length;
    const step = STEPS.find((each) => each >= least) ?? STEPS.at(-1);
    const moments = [];
    for (let at = Math.ceil((this.from + CHINA_MS) / step) * step - CHINA_MS; at <= this.to; at += step) moments.push(at);
    return { step, moments };
  }
}
