// A tile of the review's wall: whose camera, its picture, and what is missing.

import { h, setMark, stateMark, write } from "./dom.js";
import { gapName, gapState, gapWords, silenceWords } from "./review_lane.js";
import { Follower } from "./review_player.js";
import { day } from "./time.js";
import { say } from "./words.js";

export class Tile {
  constructor(lane, place, clock, on) {
    this.lane = lane;
    this.video = h("video", { playsinline: true, disablepictureinpicture: true, "aria-label": say("review.picture.of", { officer: lane.officer }) });
    this.mark = stateMark("standby", say("review.tile.loading"));
    this.cause = h("p.tile-cause", { role: "status", hidden: true });
    this.key = h("kbd", { "aria-hidden": "true" }, place + 1);
    this.sound = h("button.tile-mute", { type: "button", onclick: (event) => { event.stopPropagation(); on.hear(this); } });
    this.element = h(
      "article.tile", { tabindex: 0, dataset: { feed: lane.feed }, onclick: () => on.pick(this), ondblclick: () => on.enlarge(this), onfocus: () => on.pick(this) },
      h("div.tile-head", {}, h("span.tile-number", {}, lane.number), h("span.tile-site", { title: lane.site }, lane.site), h("span.tile-officer", {}, lane.officer), this.mark),
      h("div.tile-picture", {}, this.video, this.cause),
      h("div.tile-foot", {}, this.key, this.note = h("span.tile-note"), h("span.tile-tools", {}, this.sound, h("button.tile-off", { type: "button", title: say("review.tile.off"), "aria-label": say("review.tile.off"), onclick: (event) => { event.stopPropagation(); on.off(this); } }, "×"))),
    );
    this.follower = new Follower(this.video, clock, {
      shown: (what, kind, silence) => this.paint(what, kind, silence),
      failed: (problem) => this.tellTrouble(problem),
      well: () => (this.trouble = null),
      missing: (recording, spans) => this.lane.miss(recording, spans) && on.missing(),
    });
    this.denied = on.denied;
    this.trouble = null;
    this.paintSound(false);
  }

  tellTrouble(problem) {
    if (problem.code === "purpose-required") this.denied();
    this.trouble = say("review.tile.unreachable", { why: problem.words ?? "" });
    if (this.shown === "loading") this.tell(this.trouble);
  }

  paint(what, kind, silence) {
    this.shown = what;
    write(this.note, what === "live" && silence ? silenceWords(silence) : "");
    this.element.dataset.phase = what;
    if (what === "gap") this.element.dataset.gap = kind;
    else delete this.element.dataset.gap;
    if (what === "live") {
      setMark(this.mark, "normal", say("review.tile.live"));
      this.tell(null);
    } else if (what === "loading") {
      setMark(this.mark, "standby", say("review.tile.loading"));
      this.tell(this.trouble ?? say("review.tile.loading.long"));
    } else {
      setMark(this.mark, gapState(kind), say(`review.gap.${kind}.short`));
      const isHeard = silence === null;
      this.tell(kind === "deleted" ? this.deletion() : isHeard ? say("review.gap.picture", { cause: gapName(kind) }) : gapWords(kind));
    }
  }

  /** Who had deleted what would be here, and why. */
  deletion() {
    const { follower } = this;
    const told = follower.source.covering(follower.clock.now)?.deletion;
    if (!told) return gapWords("deleted");
    return say("review.gap.deleted.by", { reason: told.reason, proposed: told.proposed_by_name, approved: told.approved_by_name, day: day(Date.parse(told.at)) });
  }

  tell(words) {
    this.cause.hidden = words === null;
    write(this.cause, words ?? "");
  }

  paintSound(isHeard) {
    this.isHeard = isHeard;
    this.follower?.hear(isHeard);
    this.element.classList.toggle("is-heard", isHeard);
    write(this.sound, say(isHeard ? "review.tile.mute" : "review.tile.hear"));
    this.sound.setAttribute("aria-pressed", String(isHeard));
  }

  close() {
    this.follower.close();
    this.element.remove();
  }
}
