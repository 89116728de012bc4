// The keys of the review.

import { onKey } from "./keys.js";

const STEP_SECONDS = 5;
const LEAP_SECONDS = 30;

export class ReviewKeys {
  constructor(review) {
    this.review = review;
    onKey((event) => review.main.isConnected && review.operation !== null && this.take(event));
  }

  take(event) {
    const { review } = this;
    const far = event.shiftKey ? LEAP_SECONDS : STEP_SECONDS;
    // Space and Enter belong to a button that has the focus, or to what opens a text.
    if ((event.key === " " || event.key === "Enter") && event.target.closest?.("button, summary")) return false;
    if (/^[1-6]$/.test(event.key)) return review.wall.pickNumber(Number(event.key));
    const press = {
      " ": () => review.clock.toggle(),
      ArrowLeft: () => review.skip(-far),
      ArrowRight: () => review.skip(far),
      ArrowUp: () => review.toEvent(-1),
      ArrowDown: () => review.toEvent(1),
      ",": () => review.frame(-1),
      ".": () => review.frame(1),
      "<": () => review.clock.faster(-1),
      ">": () => review.clock.faster(1),
      Home: () => review.seek(review.clock.since),
      End: () => (review.isLive ? review.toNewest() : review.seek(review.clock.until)),
      "+": () => review.timeline.zoom(0.5),
      "=": () => review.timeline.zoom(0.5),
      "-": () => review.timeline.zoom(2),
      0: () => review.timeline.whole(),
      Enter: () => review.wall.enlarge(),
      Escape: () => review.wall.back() || review.verdicts.close(),
      g: () => review.toGap(1),
      G: () => review.toGap(-1),
      b: () => review.write(),
      m: () => review.wall.hear(),
      v: () => review.voices.toggleAll() ?? review.timeline.repaint(),
      e: () => review.controls.export.hidden || review.openExport(),
      c: () => review.toggleVerdicts(),
      f: () => review.map.fit(),
      l: () => review.list.follow() ?? review.timeline.follow(),
    };
    const found = press[event.key] ?? press[event.key.toLowerCase()];
    if (!found) return false;
    found();
    return true;
  }
}
