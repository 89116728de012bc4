// The review's side of the map: every officer's track, and where each was at the moment that is shown.

import { h } from "./dom.js";
import { askInReview } from "./review_session.js";
import { inLanguage, say } from "./words.js";

const SHOW_MS = 150;

export class ReviewMap {
  /** `on.seek(at)` when a point of a track is pressed, `on.picked(feed)` when an officer is. */
  constructor(frame, notes, clock, on) {
    this.frame = frame;
    this.notes = notes;
    this.clock = clock;
    this.isReady = false;
    this.clear([]);
    addEventListener("message", (event) => {
      if (event.source !== this.frame.contentWindow || event.origin !== location.origin) return;
      if (event.data.type === "ready") {
        this.isReady = true;
        this.paint();
      } else if (event.data.type === "sought") on.seek(event.data.at);
      else if (event.data.type === "picked") on.picked(event.data.feed);
    });
    this.tell({ type: "hello" }); // a frame that was there first says again that it is ready
    clock.on("tick", () => this.show());
    clock.on("change", () => this.show(true));
  }

  clear(sites) {
    this.sites = sites.map((site) => ({
      id: site.id, ordinal: site.ordinal, latitude: site.latitude, longitude: site.longitude, name: inLanguage(site, "name"),
    }));
    this.tracks = new Map();
    this.places = new Map();
    this.tellState(null);
    this.paint();
  }

  /** Read the tracks of an operation, or what is new of them. */
  async read(operationId, isCurrent) {
    const last = Math.max(0, ...[...this.tracks.values()].map((track) => track.points.at(-1)?.[0] ?? 0));
    const query = last ? `?${new URLSearchParams({ since: new Date(last - 5_000).toISOString() })}` : "";
    try {
      const { tracks } = await askInReview("GET", `/api/operations/${operationId}/tracks${query}`, undefined, { timeoutMs: 30_000 });
      if (!isCurrent()) return;
      const isNew = this.take(tracks);
      this.tellState(this.tracks.size ? null : say("review.track.none"));
      if (isNew) this.paint();
      else this.tellTracks();
    } catch {
      if (!isCurrent()) return;
      const again = h("button.quiet", { type: "button", onclick: () => this.read(operationId, isCurrent) }, say("review.track.again"));
      this.tellState(say("review.track.failed"), again);
    }
    this.show(true);
  }

  /** Add points to the tracks; gives whether an officer is new. */
  take(tracks) {
    let isNew = false;
    for (const track of tracks) {
      const known = this.tracks.get(track.feed);
      if (!known) {
        this.tracks.set(track.feed, track);
        isNew = true;
        continue;
      }
      const last = known.points.at(-1)[0];
      known.points.push(...track.points.filter(([at]) => at > last));
    }
    return isNew;
  }

  /** Put everybody where they were at the clock's moment. */
  show(isAtOnce = false) {
    if (!this.isReady || this.tracks.size === 0) return;
    if (!isAtOnce && performance.now() - this.shownAt < SHOW_MS) return;
    this.shownAt = performance.now();
    const at = this.clock.now;
    for (const [feed, { points }] of this.tracks) {
      const place = placeAt(points, at);
      if (place === this.places.get(feed)) continue;
      this.places.set(feed, place);
      if (place < 0) this.tell({ type: "hide", feed });
      else this.tellPlace(feed, points[place]);
    }
    this.tell({ type: "moment", at });
  }

  tellPlace(feed, [at, latitude, longitude, accuracy, heading]) {
    this.tell({ type: "position", feed, latitude, longitude, accuracy_m: accuracy, heading_deg: heading, taken_at: at, received_at: at, at });
  }

  focus(feed) {
    this.tell({ type: "focus", feed });
  }

  /** Show one officer's whole way (null: everybody), unless somebody holds the view. */
  closeUp(feed) {
    this.tell({ type: "close-up", feed });
  }

  fit() {
    this.tell({ type: "fit" });
  }

  /** Say beside the title what is wrong with the tracks, or nothing. */
  tellState(words, ...actions) {
    if (words === null) return this.notes.replaceChildren();
    if (this.notes.firstChild?.textContent === words) return; // a button that somebody is about to press stays
    this.notes.replaceChildren(h(actions.length ? "span.track-failed" : "span", { role: "status" }, words), ...actions);
  }

  paint() {
    if (!this.isReady) return;
    this.tell({ type: "clear" });
    this.tell({ type: "sites", sites: this.sites });
    const officers = [...this.tracks.values()].map(({ feed, officer, site_ordinal: number }) => ({ feed, number, name: officer, site: "" }));
    this.tell({ type: "officers", officers });
    this.tellTracks();
    this.places.clear();
    this.show(true);
    this.tell({ type: "settle" });
  }

  tellTracks() {
    for (const [feed, { points }] of this.tracks) {
      this.tell({ type: "track", feed, points: points.map(([at, latitude, longitude]) => [latitude, longitude, at]) });
    }
  }

  tell(message) {
    if (this.isReady || message.type === "hello") this.frame.contentWindow?.postMessage(message, location.origin);
  }
}

/** The number of the last point that isn't after `at`, or -1. */
function placeAt(points, at) {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
