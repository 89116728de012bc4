// The pointer on the line of time: a press or a drag moves the moment, the wheel zooms and pans, and a tip says what is there.

import { write } from "./dom.js";
import { gapWords, silenceWords } from "./review_lane.js";
import { clock as clockOf, span as spanOf } from "./time.js";
import { say } from "./words.js";

const DRAG_MS = 120;

export class LinePointer {
  constructor(line) {
    this.line = line;
    this.listen();
  }

  listen() {
    this.line.body.addEventListener("pointerdown", (event) => this.press(event));
    this.line.body.addEventListener("pointermove", (event) => this.move(event));
    this.line.body.addEventListener("pointerleave", () => this.hideTip());
    for (const name of ["pointerup", "pointercancel"]) this.line.body.addEventListener(name, () => (this.dragging = null));
    this.line.body.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  /** The moment under the pointer, or null where there is no time. */
  momentOf(event) {
    const x = event.clientX - this.line.body.getBoundingClientRect().left - this.line.left;
    return x < 0 || x > this.line.scale.width + this.line.gutter ? null : this.line.scale.at(Math.min(x, this.line.scale.width));
  }

  press(event) {
    if (event.button !== 0 || event.target.closest("button, label, input")) return;
    if (event.target.closest(".line-overview")) {
      this.dragging = { kind: "window" };
      this.moveWindow(event);
    } else {
      const at = this.momentOf(event);
      if (at === null) return;
      this.dragging = { kind: "moment", sought: performance.now() };
      this.line.on.seek(at);
    }
    this.line.body.setPointerCapture(event.pointerId);
  }

  move(event) {
    if (this.dragging?.kind === "window") return this.moveWindow(event);
    const at = this.momentOf(event);
    if (this.dragging && at !== null && performance.now() - this.dragging.sought > DRAG_MS) {
      this.dragging.sought = performance.now();
      this.line.on.seek(at);
    }
    return this.showTip(event, at);
  }

  moveWindow(event) {
    const box = this.line.overview.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    const middle = this.line.scale.since + share * (this.line.scale.until - this.line.scale.since);
    this.line.scale.pan(middle - (this.line.scale.from + this.line.scale.to) / 2);
    this.line.repaint();
  }

  wheel(event) {
    const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (event.target.closest(".line-scroll") && !isSideways && !event.ctrlKey && this.line.scroller.scrollHeight > this.line.scroller.clientHeight + 1) return;
    event.preventDefault();
    if (isSideways) this.line.scale.pan(((event.deltaX || event.deltaY) / this.line.scale.width) * this.line.scale.length);
    else this.line.scale.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.momentOf(event) ?? this.line.clock.now);
    this.line.repaint();
  }

  showTip(event, at) {
    if (at === null || event.target.closest("button, label, .line-overview")) return this.hideTip();
    const row = event.target.closest(".line-row[data-feed]");
    const lane = row && this.line.lanes.find((each) => each.feed === row.dataset.feed);
    const words = lane ? spanWords(lane, at) : "";
    write(this.line.tip, `${clockOf(at)}${words ? `  ${words}` : ""}`);
    this.line.tip.hidden = this.line.ghost.hidden = false;
    const x = this.line.left + this.line.scale.x(at);
    this.line.ghost.style.transform = `translateX(${x}px)`;
    const wide = this.line.tip.offsetWidth;
    this.line.tip.style.transform = `translateX(${Math.min(Math.max(x - wide / 2, 4), this.line.body.clientWidth - wide - 4)}px)`;
    return undefined;
  }

  hideTip() {
    this.line.tip.hidden = this.line.ghost.hidden = true;
  }
}

/** What of a lane is recorded at a moment, or why it isn't, and for how long. */
function spanWords(lane, at) {
  const span = lane.at(at);
  const silence = span.kind === "covered" ? lane.silenceAt(at) : null;
  const words = silence ? silenceWords(silence.kind) : span.kind === "covered" ? say("review.lane.recorded") : gapWords(span.kind);
  const { since, until } = silence ?? span;
  return Number.isFinite(since + until) ? `${words} · ${spanOf(until - since)}` : words;
}
