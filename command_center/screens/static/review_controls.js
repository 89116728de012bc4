// The buttons over the time line: play, frames, speed, the clock, zoom, and what is loading.

import { h, write } from "./dom.js";
import { person } from "./person.js";
import { SPEEDS } from "./review_clock.js";
import { icon } from "./review_icons.js";
import { clock as clockOf, day, span } from "./time.js";
import { say } from "./words.js";

export class Controls {
  /** `on`: what each button does, by its name. */
  constructor(element, clock, on) {
    this.clock = clock;
    this.element = element;
    const button = (name, picture, press) => h(
      "button.review-button", { type: "button", title: say(`review.${name}`), "aria-label": say(`review.${name}`), onclick: press }, icon(picture),
    );
    const worded = (name, press, more = {}) => h("button.review-word", { type: "button", title: say(`review.${name}.why`), onclick: press, ...more }, say(`review.${name}`));
    this.play = button("play", "play", () => clock.toggle());
    this.speed = h("select.review-speed", { "aria-label": say("review.speed"), title: say("review.speed") }, SPEEDS.map((speed) => h("option", { value: speed }, `${speed}×`)));
    this.speed.addEventListener("change", () => {
      clock.setRate(Number(this.speed.value));
      this.speed.blur();
    });
    this.date = h("span.review-date");
    this.time = h("time.review-time");
    this.state = h("span.review-state", { role: "status" });
    this.bar = h("progress.review-progress", { max: 1, value: 0, hidden: true, "aria-label": say("review.loading") });
    this.newest = worded("newest", on.newest, { hidden: true });
    this.follow = worded("follow", on.follow, { hidden: true });
    this.verify = worded("verify", on.verify, { "aria-expanded": "false" });
    this.export = worded("export", on.export, { hidden: !person().permissions.includes("export") });
    element.replaceChildren(
      h("div.review-transport", {}, button("previous", "previous", () => on.event(-1)), button("frame-back", "frameBack", () => on.frame(-1)), this.play, button("frame-on", "frameOn", () => on.frame(1)), button("next", "next", () => on.event(1)), this.speed),
      h("div.review-clock", {}, this.date, this.time),
      this.state,
      this.bar,
      h("span.review-space"),
      this.newest,
      this.follow,
      h("div.review-zoom", {}, h("button", { type: "button", title: say("review.zoom.out"), "aria-label": say("review.zoom.out"), onclick: () => on.zoom(2) }, "−"), h("button", { type: "button", title: say("review.zoom.in"), "aria-label": say("review.zoom.in"), onclick: () => on.zoom(0.5) }, "+"), worded("zoom.whole", on.whole)),
      worded("mark", on.mark),
      this.verify,
      this.export,
    );
    clock.on("change", () => this.paint());
    clock.on("tick", () => this.paint());
    this.paint();
  }

  /** How much of what was asked for is here; nothing is shown once all is. */
  progress(done, total) {
    this.bar.hidden = done >= total;
    this.bar.max = total;
    this.bar.value = done;
    this.loading = done >= total ? null : say("review.loading.share", { done, total });
    this.paint();
  }

  /** `live`: the operation is being recorded; `isAtEnd`: what is shown is as new as there is. */
  setLive(live) {
    this.live = live;
    this.newest.hidden = !live;
  }

  /** `share`: how far a verification is, in words; null where none is under way. */
  setVerifying(share) {
    write(this.verify, share ?? say("review.verify"));
  }

  setTrouble(words) {
    this.trouble = words;
    this.paint();
  }

  paint() {
    const { clock } = this;
    const { now } = clock;
    const hasTime = clock.until > clock.since;
    if (hasTime !== this.hadTime) {
      this.hadTime = hasTime;
      for (const button of this.element.querySelectorAll("button, select")) button.disabled = !hasTime;
    }
    write(this.date, hasTime ? day(now) : "");
    write(this.time, hasTime ? `${clockOf(now)}.${Math.floor((now % 1000) / 100)}` : "--:--:--");
    if (hasTime) this.time.title = say("review.elapsed", { elapsed: span(now - clock.since), whole: span(clock.until - clock.since) });
    if (Number(this.speed.value) !== clock.rate) this.speed.value = clock.rate;
    if (this.wasPlaying !== clock.isPlaying) {
      this.wasPlaying = clock.isPlaying;
      const name = clock.isPlaying ? "pause" : "play";
      this.play.replaceChildren(icon(name));
      this.play.title = say(`review.${name}`);
      this.play.setAttribute("aria-label", say(`review.${name}`));
    }
    this.state.classList.toggle("is-trouble", Boolean(this.trouble));
    write(this.state, this.trouble ?? this.loading ?? (clock.isHeld ? say("review.waiting") : clock.rate > 4 && clock.isPlaying ? say("review.silent-speed") : ""));
  }
}
