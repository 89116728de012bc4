// The centre's voice: what was said to the officers, heard in step with the pictures.

import { h } from "./dom.js";
import { Follower } from "./review_player.js";

const MOST_LINES = 6;

export class Voices {
  constructor(element, clock) {
    this.element = element;
    this.clock = clock;
    this.lines = new Map();
    this.silenced = new Set();
    clock.on("tick", () => this.step());
    clock.on("change", (what) => {
      for (const { follower } of this.lines.values()) {
        if (what === "seek") follower.sought();
        else follower.step();
      }
    });
  }

  setLanes(lanes, recordings) {
    const wanted = lanes.filter((lane) => lane.kind === "voice").slice(0, MOST_LINES);
    for (const [feed, line] of this.lines) {
      if (wanted.some((lane) => lane.feed === feed)) continue;
      line.follower.close();
      line.audio.remove();
      this.lines.delete(feed);
    }
    for (const lane of wanted) {
      if (!this.lines.has(lane.feed)) this.lines.set(lane.feed, this.make(lane));
      this.lines.get(lane.feed).follower.follow(lane, recordings.get(lane.feed) ?? []);
    }
  }

  make(lane) {
    const audio = h("audio", { hidden: true, dataset: { feed: lane.feed } });
    this.element.append(audio);
    const follower = new Follower(audio, this.clock, { shown: () => {}, failed: () => {}, well: () => {}, missing: (recording, spans) => lane.miss(recording, spans) });
    follower.hear(!this.silenced.has(lane.feed));
    return { audio, follower };
  }

  isHeard(feed) {
    return this.lines.has(feed) && !this.silenced.has(feed);
  }

  toggle(feed) {
    if (this.silenced.has(feed)) this.silenced.delete(feed);
    else this.silenced.add(feed);
    this.lines.get(feed)?.follower.hear(this.isHeard(feed));
  }

  /** All of them at once: silent, or as before. */
  toggleAll() {
    const isAnyHeard = [...this.lines.keys()].some((feed) => this.isHeard(feed));
    for (const feed of this.lines.keys()) if (this.isHeard(feed) === isAnyHeard) this.toggle(feed);
  }

  clear() {
    this.setLanes([], new Map());
  }

  step() {
    for (const { follower } of this.lines.values()) follower.step();
  }
}
