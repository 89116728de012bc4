// The review's side of the map: the track of the recording's device, and where it was at the moment that is shown.

import { ask } from "./net.js";
import { h } from "./dom.js";
import { inLanguage, say } from "./words.js";

const REFRESH_MS = 5_000;

export class ReviewMap {
  constructor(frame, notes) {
    this.frame = frame;
    this.notes = notes;
    this.isReady = false;
    this.sites = [];
    this.recording = null;
    this.points = [];
    this.shownAt = null;
    this.place = null;
    addEventListener("message", (event) => {
      if (event.source !== this.frame.contentWindow || event.origin !== location.origin) return;
      if (event.data.type === "ready") {
        this.isReady = true;
        this.paint();
      }
    });
    this.tell({ type: "hello" }); // a frame that was there first says again that it is ready
  }

  clear(sites) {
    this.sites = sites.map((site) => ({
      id: site.id, ordinal: site.ordinal, latitude: site.latitude, longitude: site.longitude, name: inLanguage(site, "name"),
    }));
    this.recording = null;
    this.points = [];
    this.shownAt = this.place = null;
    clearTimeout(this.timer);
    this.tellState(null);
    this.paint();
  }

  async open(recording) {
    this.recording = recording;
    this.points = [];
    this.shownAt = this.place = null;
    this.tellState(null);
    this.paint();
    if (recording.kind === "voice") {
      clearTimeout(this.timer);
      return;
    }
    await this.read();
    if (recording === this.recording) this.paint();
  }

  /** Read the track; again and again while the recording grows, or while it can't be read. */
  async read() {
    const recording = this.recording;
    clearTimeout(this.timer);
    let isFinal = recording.ended_at !== null;
    try {
      const track = await ask("GET", `/api/recordings/${recording.id}/track`);
      if (recording !== this.recording) return;
      this.points = track.points.map((point) => ({ ...point, at: Date.parse(point.at) }));
      this.tellState(this.points.length ? null : say("review.track.none"));
    } catch {
      if (recording !== this.recording) return;
      isFinal = false;
      this.tellState(say("review.track.failed"), h("button.quiet", { type: "button", onclick: () => this.read() }, say("review.track.again")));
    }
    this.tellTrack();
    if (this.shownAt !== null) this.show(this.shownAt);
    if (!isFinal) this.timer = setTimeout(() => this.frame.isConnected && this.read(), REFRESH_MS);
  }

  /** Put the officer where the device was at `atMs` (Unix ms of the wall clock). */
  show(atMs) {
    this.shownAt = atMs;
    const point = this.points[placeAt(this.points, atMs)];
    if (!point) {
      this.place = null;
      return this.tell({ type: "hide", feed: this.recording.feed });
    }
    if (point !== this.place) {
      this.place = point;
      this.tell({
        type: "position", feed: this.recording.feed, latitude: point.latitude, longitude: point.longitude,
        accuracy_m: point.accuracy_m, heading_deg: point.heading_deg, taken_at: point.at, received_at: point.at, at: point.at,
      });
    }
    this.tell({ type: "moment", at: atMs });
  }

  /** Say beside the title what is wrong with the track, or nothing. */
  tellState(words, ...actions) {
    if (words === null) return this.notes.replaceChildren();
    if (this.notes.firstChild?.textContent === words) return; // a button that somebody is about to press stays
    this.notes.replaceChildren(h(actions.length ? "span.track-failed" : "span", { role: "status" }, words), ...actions);
  }

  paint() {
    if (!this.isReady) return;
    this.tell({ type: "clear" });
    // With a recording open only its own site counts, so that the map comes close to the track.
    const isOfDevice = this.recording !== null && this.recording.kind !== "voice"; // the centre's voice has no place
    const sites = isOfDevice ? this.sites.filter((site) => site.id === this.recording.site_id) : this.sites;
    this.tell({ type: "sites", sites });
    if (isOfDevice) {
      const { feed, officer, site_ordinal: number } = this.recording;
      this.tell({ type: "officers", officers: [{ feed, number, name: officer, site: inLanguage(this.recording, "site") }] });
      this.tellTrack();
      this.place = null;
      if (this.shownAt !== null) this.show(this.shownAt);
    }
    this.tell({ type: "settle" });
  }

  tellTrack() {
    if (!this.recording) return;
    const points = this.points.map((point) => [point.latitude, point.longitude, point.at]);
    this.tell({ type: "track", feed: this.recording.feed, points });
  }

  tell(message) {
    if (this.isReady || message.type === "hello") this.frame.contentWindow?.postMessage(message, location.origin);
  }
}

/** The number of the last point that isn't after `atMs`, or -1. */
function placeAt(points, atMs) {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle].at <= atMs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
