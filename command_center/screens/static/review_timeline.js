// The one line of time under everything: a lane for each camera and voice, marks of what happened, notes, and the moment.

import { h, shape, write } from "./dom.js";
import { gapName, gapState } from "./review_lane.js";
import { LinePointer } from "./review_pointer.js";
import { Scale } from "./review_scale.js";
import { clock as clockOf, day, span as spanOf } from "./time.js";
import { say } from "./words.js";

const TICK_PX = 96;
const LABEL_PX = 48;
const LEAST_PX = 1.5;
const [LETTER_PX, SIGN_PX, MARGIN_PX] = [6.2, 11.5, 12]; // of the small words on a gap
const TOGETHER_PX = 14;
const COUNTED_PX = 30; // a mark with a number beside it
const RANK = ["critical", "serious", "caution", "standby", "normal", "off", "plain"];

export class Timeline {
  /** `on.seek(at)`, `on.toggle(feed)`, `on.hear(feed)`, `on.open(event)` of a mark that was pressed. */
  constructor(element, clock, on) {
    this.clock = clock;
    this.on = on;
    this.scale = new Scale();
    this.lanes = [];
    this.rows = []; // {name, marks: [{at, state, words, …}]}
    this.isShown = () => false;
    this.isHeard = () => false;
    this.build(element);
    clock.on("tick", () => this.tick());
    clock.on("change", (what) => {
      if (what === "seek") this.scale.follow(clock.now) && this.repaint();
      this.tick();
    });
  }

  build(element) {
    this.ruler = h("div.line-ruler");
    this.laneRows = h("div.line-lanes");
    this.markRows = h("div.line-marks");
    this.moment = h("div.line-moment", { "aria-hidden": "true" });
    this.ghost = h("div.line-ghost", { "aria-hidden": "true", hidden: true });
    this.tip = h("div.line-tip", { hidden: true });
    this.window = h("div.line-window");
    this.overview = h("div.line-overview", { "aria-hidden": "true" }, this.overviewLanes = h("div.line-overview-lanes"), this.window, this.overviewMoment = h("div.line-moment"));
    this.scroller = h("div.line-scroll", {}, this.laneRows);
    this.body = h(
      "div.line", { role: "slider", tabindex: 0, "aria-label": say("review.position"), "aria-orientation": "horizontal" },
      this.ruler, this.scroller, this.markRows, this.overview, this.ghost, this.moment, this.tip,
    );
    this.blank = h("p.blank", { role: "status", hidden: true });
    element.append(this.body, this.blank);
    new ResizeObserver(() => this.measure()).observe(this.body);
    this.pointer = new LinePointer(this);
  }

  measure() {
    this.left = this.ruler.querySelector(".line-space")?.offsetWidth ?? this.left ?? 180;
    this.scale.width = Math.max(50, this.body.clientWidth - this.left - this.gutter);
    this.repaint();
  }

  get gutter() {
    return 12;
  }

  // -- what it shows

  say(words) {
    this.blank.hidden = words === null;
    this.body.hidden = words !== null;
    write(this.blank, words ?? "");
  }

  setBounds(since, until) {
    this.scale.setBounds(since, until);
    this.body.setAttribute("aria-valuemin", Math.round(since / 1000));
    this.body.setAttribute("aria-valuemax", Math.round(until / 1000));
    this.repaint();
  }

  setLanes(lanes) {
    this.lanes = lanes;
    this.repaint();
  }

  /** `rows`: [{name, marks: [{at, state, words, open}]}], each by time. */
  setMarks(rows) {
    this.rows = rows;
    this.repaint();
  }

  zoom(factor, around = this.clock.now) {
    this.scale.zoom(factor, around);
    this.repaint();
  }

  whole() {
    this.scale.whole();
    this.repaint();
  }

  follow() {
    this.scale.release(this.clock.now);
    this.repaint();
  }

  // -- painting

  repaint() {
    this.painting ??= requestAnimationFrame(() => {
      this.painting = null;
      this.paint();
    });
  }

  paint() {
    if (this.body.hidden || !this.lanes) return;
    this.paintRuler();
    this.paintLanes();
    this.paintMarks();
    this.paintOverview();
    this.tick();
    this.on.viewed?.(this.scale);
  }

  paintRuler() {
    const { step, moments } = this.scale.ticks(TICK_PX);
    const ticks = moments.map((at) => {
      const x = this.scale.x(at);
      const isRoom = x < this.scale.width - LABEL_PX;
      const tick = h("span.line-tick", {}, isRoom ? clockOf(at).slice(0, step >= 60_000 ? 5 : 8) : "");
      tick.style.left = `${x}px`;
      return tick;
    });
    const date = h("span.line-space.line-date", {}, day((this.scale.from + this.scale.to) / 2));
    this.ruler.replaceChildren(date, h("div.line-track", {}, ticks));
    const left = date.offsetWidth;
    if (left && left !== this.left) {
      this.left = left;
      this.scale.width = Math.max(50, this.body.clientWidth - left - this.gutter);
      this.repaint();
    }
  }

  paintLanes() {
    this.laneRows.replaceChildren(...this.lanes.map((lane) => this.laneRow(lane)));
  }

  laneRow(lane) {
    const isVoice = lane.kind === "voice";
    const isOn = isVoice ? this.isHeard(lane.feed) : this.isShown(lane.feed);
    const words = say(isVoice ? "review.lane.hear" : "review.lane.show", { name: `${lane.site} ${lane.officer}` });
    const label = h(
      "label.line-label", { title: `${lane.site} · ${lane.officer}\n${this.sums(lane)}` },
      h("input", { type: "checkbox", checked: isOn, "aria-label": words, onchange: (event) => { event.target.blur(); this.on.toggle(lane); } }),
      h("span.tile-number", {}, lane.number), h("span.line-site", {}, lane.site), h("span.line-officer", {}, lane.officer),
    );
    return h("div.line-row", { dataset: { feed: lane.feed, kind: lane.kind } }, label, h("div.line-track", {}, this.spansOf(lane)));
  }

  sums(lane) {
    const gaps = Object.entries(lane.gapsMs ?? {}).map(([kind, ms]) => `${gapName(kind)} ${spanOf(ms)}`);
    return [say("review.lane.covered", { span: spanOf(lane.coveredMs) }), ...gaps].join(" · ");
  }

  /** The spans in sight; what is too narrow to be seen is still drawn, where it is a gap. */
  spansOf(lane) {
    const { scale } = this;
    const pieces = [];
    for (const span of lane.spans) {
      if (span.until < scale.from || span.since > scale.to) continue;
      const left = Math.max(-4, scale.x(span.since));
      const width = Math.min(scale.width + 4, scale.x(span.until)) - left;
      const isGap = span.kind !== "covered";
      if (!isGap && width < 0.5) continue;
      const piece = h("i.line-span", { dataset: { kind: span.kind, state: isGap ? gapState(span.kind) : "covered" } });
      if (isGap && width > widthOf(gapName(span.kind))) piece.append(h("span", {}, gapName(span.kind)));
      piece.style.left = `${left}px`;
      piece.style.width = `${Math.max(width, isGap ? LEAST_PX : 0)}px`;
      pieces.push(piece);
    }
    return pieces.concat(this.silencesOf(lane));
  }

  /** Where only the sound is missing: a thin line below the pictures that go on. */
  silencesOf(lane) {
    const { scale } = this;
    return lane.silences.filter(({ since, until }) => until >= scale.from && since <= scale.to).map(({ since, until }) => {
      const left = Math.max(-4, scale.x(since));
      const piece = h("i.line-silence");
      piece.style.left = `${left}px`;
      piece.style.width = `${Math.max(LEAST_PX, Math.min(scale.width + 4, scale.x(until)) - left)}px`;
      return piece;
    });
  }

  paintMarks() {
    this.markRows.replaceChildren(...this.rows.map((row) => h(
      "div.line-row.line-row-marks", { dataset: { row: row.key } }, h("div.line-label.line-name", {}, row.name), h("div.line-track", {}, this.marksOf(row)),
    )));
  }

  marksOf(row) {
    const groups = [];
    for (const mark of row.marks) {
      const x = this.scale.x(mark.at);
      if (x < -6 || x > this.scale.width + 6) continue;
      const last = groups.at(-1);
      if (last && x - last.x < (last.marks.length > 1 ? COUNTED_PX : TOGETHER_PX)) last.marks.push(mark);
      else groups.push({ x, marks: [mark] });
    }
    return groups.map((group) => this.markOf(group));
  }

  markOf({ x, marks }) {
    const state = RANK.find((each) => marks.some((mark) => mark.state === each)) ?? "plain";
    const lines = marks.slice(0, 6).map((mark) => `${clockOf(mark.at)} ${mark.words}`);
    if (marks.length > 6) lines.push(say("review.marks.more", { count: marks.length - 6 }));
    const first = marks[0];
    const mark = h(
      `button.line-mark.state-${state}`,
      { type: "button", tabindex: -1, title: lines.join("\n"), "aria-label": lines.join("; "), onclick: () => this.on.open(first) },
      shape(state), marks.length > 1 ? h("b", {}, marks.length > 99 ? "99+" : marks.length) : null,
    );
    mark.style.left = `${x}px`;
    return mark;
  }

  paintOverview() {
    const whole = { from: this.scale.since, length: Math.max(1, this.scale.until - this.scale.since) };
    const place = (at) => `${(100 * (at - whole.from)) / whole.length}%`;
    this.overviewLanes.replaceChildren(...this.lanes.slice(0, 8).map((lane) => h("div", {}, lane.spans.map((span) => {
      const piece = h("i", { dataset: { state: span.kind === "covered" ? "covered" : gapState(span.kind) } });
      piece.style.left = place(span.since);
      piece.style.width = `${(100 * (span.until - span.since)) / whole.length}%`;
      return piece;
    }))));
    const from = Math.max(this.scale.from, whole.from);
    const to = Math.min(this.scale.to, this.scale.until);
    this.window.style.left = place(from);
    this.window.style.width = `${(100 * Math.max(0, to - from)) / whole.length}%`;
    this.overview.hidden = this.scale.isWhole;
  }

  tick() {
    if (this.body.hidden) return;
    const { now } = this.clock;
    if (this.clock.isRunning && this.scale.follow(now)) this.repaint();
    const x = this.scale.x(now);
    const isInSight = x >= -1 && x <= this.scale.width + 1;
    this.moment.hidden = !isInSight;
    if (isInSight) this.moment.style.transform = `translateX(${(this.left ?? 0) + x}px)`;
    this.overviewMoment.style.left = `${(100 * (now - this.scale.since)) / Math.max(1, this.scale.until - this.scale.since)}%`;
    const second = Math.round(now / 1000);
    if (second === this.toldSecond) return;
    this.toldSecond = second;
    this.body.setAttribute("aria-valuenow", second);
    this.body.setAttribute("aria-valuetext", `${day(now)} ${clockOf(now)}`);
  }
}

/** About how much room a gap's name takes. */
const widthOf = (name) => MARGIN_PX + [...name].reduce((sum, sign) => sum + (sign.charCodeAt(0) > 0x2e80 ? SIGN_PX : LETTER_PX), 0);
