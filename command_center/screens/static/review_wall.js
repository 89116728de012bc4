// The wall of the review: up to six cameras at once, one of them heard, one of them perhaps enlarged.

import { h } from "./dom.js";
import { Tile } from "./review_tile.js";
import { say } from "./words.js";

export const MOST_TILES = 6;

export class Wall {
  /**
   * `on.changed()` when other cameras are shown, or less of one; `on.full()` when a seventh is asked for; `on.picked(feed)`,
   * `on.enlarged(feed | null)`, `on.made(video)`; `on.denied()` where a purpose must be given anew.
   */
  constructor(element, clock, on) {
    this.element = element;
    this.clock = clock;
    this.on = on;
    this.tiles = new Map();
    this.lanes = [];
    this.chosen = null; // feeds that somebody chose; null: the first ones
    this.picked = this.enlarged = null;
    clock.on("tick", () => this.step());
    clock.on("change", (what) => {
      for (const tile of this.tiles.values()) {
        if (what === "seek") tile.follower.sought();
        else tile.follower.step();
      }
    });
  }

  /** Show words in place of the cameras, and perhaps what can be done: {words, press}. */
  clear(words, action = null) {
    for (const tile of this.tiles.values()) tile.close();
    this.tiles.clear();
    this.chosen = this.picked = this.enlarged = null;
    const button = action && h("button", { type: "button", onclick: action.press }, action.words);
    this.element.replaceChildren(h("div.blank", { role: "status" }, h("p", {}, words), button));
    this.arrange();
  }

  /** The cameras that there are, and their recordings: Map(feed → [{id, since, until}]). */
  setLanes(lanes, recordings) {
    this.lanes = lanes.filter((lane) => lane.kind === "camera");
    this.recordings = recordings;
    const wanted = this.chosen ?? this.lanes.slice(0, MOST_TILES).map((lane) => lane.feed);
    this.showFeeds(wanted);
    for (const tile of this.tiles.values()) tile.follower.follow(this.laneOf(tile.lane.feed), recordings.get(tile.lane.feed) ?? []);
  }

  laneOf(feed) {
    return this.lanes.find((lane) => lane.feed === feed);
  }

  get feeds() {
    return [...this.tiles.keys()];
  }

  isShown(feed) {
    return this.tiles.has(feed);
  }

  /** Show a camera, or show it no more. */
  toggle(feed) {
    const feeds = this.feeds;
    if (!this.isShown(feed) && feeds.length >= MOST_TILES) return this.on.full();
    const wanted = this.isShown(feed) ? feeds.filter((each) => each !== feed) : [...feeds, feed];
    this.chosen = this.lanes.map((lane) => lane.feed).filter((each) => wanted.includes(each));
    this.showFeeds(this.chosen);
    return this.on.changed();
  }

  showFeeds(feeds) {
    const wanted = feeds.filter((feed) => this.laneOf(feed));
    for (const [feed, tile] of this.tiles) {
      if (wanted.includes(feed)) continue;
      tile.close();
      this.tiles.delete(feed);
      if (this.enlarged === feed) this.enlarged = null;
      if (this.picked === feed) this.picked = null;
    }
    if (wanted.join() !== this.feeds.join() || !this.element.querySelector(".tile")) this.place(wanted);
    this.arrange();
  }

  place(wanted) {
    const before = this.tiles;
    this.tiles = new Map(wanted.map((feed, place) => [feed, before.get(feed) ?? this.make(this.laneOf(feed), place)]));
    const elements = wanted.map((feed) => this.tiles.get(feed).element);
    for (const [place, tile] of [...this.tiles.values()].entries()) tile.key.textContent = place + 1;
    if (elements.length === 0) elements.push(h("p.blank", { role: "status" }, say("review.wall.none")));
    for (const child of [...this.element.children]) if (!elements.includes(child)) child.remove();
    for (const [place, element] of elements.entries()) {
      if (this.element.children[place] !== element) this.element.insertBefore(element, this.element.children[place] ?? null);
    }
  }

  make(lane, place) {
    const tile = new Tile(lane, place, this.clock, {
      pick: () => this.pick(lane.feed),
      enlarge: () => this.enlarge(lane.feed),
      hear: () => this.hear(lane.feed),
      off: () => this.toggle(lane.feed),
      missing: () => this.on.changed(),
      denied: () => this.on.denied(),
    });
    tile.follower.follow(lane, this.recordings.get(lane.feed) ?? []);
    this.on.made(tile.video);
    return tile;
  }

  pick(feed) {
    if (this.picked === feed) return;
    this.picked = feed;
    for (const [each, tile] of this.tiles) tile.element.classList.toggle("is-picked", each === feed);
    this.on.picked(feed);
  }

  pickNumber(number) {
    const feed = this.feeds[number - 1];
    if (feed) this.pick(feed);
    return Boolean(feed);
  }

  /** Enlarge the picked camera (or this one), or put it back. */
  enlarge(feed = this.picked ?? this.feeds[0]) {
    this.enlarged = this.enlarged === feed ? null : feed;
    this.arrange();
    this.on.enlarged(this.enlarged);
  }

  back() {
    if (this.enlarged === null) return false;
    this.enlarged = null;
    this.arrange();
    this.on.enlarged(null);
    return true;
  }

  /** Hear one camera, or none when it was the one. */
  hear(feed = this.picked ?? this.feeds[0]) {
    const wasHeard = this.tiles.get(feed)?.isHeard;
    for (const [each, tile] of this.tiles) tile.paintSound(each === feed && !wasHeard);
  }

  arrange() {
    const count = this.tiles.size;
    const isSpotlit = this.enlarged !== null && count > 1;
    this.element.style.setProperty("--columns", isSpotlit ? 1 : count > 4 ? 3 : count > 1 ? 2 : 1);
    this.element.style.setProperty("--rows", Math.max(1, count - 1));
    this.element.classList.toggle("has-spotlight", isSpotlit);
    for (const [feed, tile] of this.tiles) tile.element.classList.toggle("is-spotlit", feed === this.enlarged);
  }

  step() {
    for (const tile of this.tiles.values()) tile.follower.step();
  }

  /** The camera whose frames are stepped: the picked one, or the first with a picture. */
  get leader() {
    const shown = [...this.tiles.values()].filter((tile) => tile.shown === "live");
    return (shown.find((tile) => tile.lane.feed === this.picked) ?? shown[0])?.follower ?? null;
  }
}
