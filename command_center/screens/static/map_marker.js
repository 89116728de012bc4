// An officer on the map: number and name, heading, accuracy, age, and the trail of the last minutes.

import { h, write } from "./dom.js";
import { span } from "./time.js";
import { say } from "./words.js";

const OLD_MS = 15_000;
const AGE_SHOWN_MS = 5_000;
const TRAIL_POINTS = 1_200;
const TRAIL = { color: "#5aa9f0", weight: 2.5, opacity: 0.75, interactive: false };
const AHEAD = { ...TRAIL, weight: 2, opacity: 0.4, dashArray: "2 5" };
const REACH = { color: "#5aa9f0", weight: 16, opacity: 0, className: "map-reach" };
const ACCURACY = { color: "#5aa9f0", weight: 1, opacity: 0.5, fillOpacity: 0.08, interactive: false };

export class Marker {
  /** `seek(at)`: a point of the trail was pressed; with it the trail is a whole track, of which a part is over. */
  constructor(map, feed, pick, trailMs, seek = null) {
    this.map = map;
    this.seek = seek;
    this.trailMs = trailMs;
    this.points = [];
    this.isPlaced = false;
    this.at = null;
    this.number = h("span.officer-number");
    this.arrow = h("span.officer-arrow", { hidden: true });
    this.name = h("span.officer-name");
    this.ageText = h("span.officer-age");
    this.body = h("div.officer", { dataset: { feed } }, this.arrow, this.number, h("span.officer-label", {}, this.name, this.ageText));
    this.trail = L.polyline([], TRAIL).addTo(map);
    if (seek) this.layTrack();
    this.circle = L.circle([0, 0], { ...ACCURACY, radius: 1 });
    const icon = L.divIcon({ className: "map-officer", html: this.body, iconSize: [0, 0] });
    this.pin = L.marker([0, 0], { icon, riseOnHover: true });
    this.pin.on("click keypress", (event) => {
      if (event.type === "click" || event.originalEvent.key === "Enter") pick();
    });
  }

  layTrack() {
    this.ahead = L.polyline([], AHEAD).addTo(this.map);
    this.reach = L.polyline([], REACH).addTo(this.map);
    this.reach.on("click", (event) => {
      const near = this.nearest(event.latlng);
      if (near) this.seek(near[2]);
    });
  }

  /** The point of the track that lies nearest to a place. */
  nearest(place) {
    const { x, y } = this.map.project(place);
    let found = null;
    let least = Infinity;
    for (const point of this.points) {
      const at = this.map.project([point[0], point[1]]);
      const far = (at.x - x) ** 2 + (at.y - y) ** 2;
      if (far < least) [least, found] = [far, point];
    }
    return found;
  }

  get place() {
    return this.pin.getLatLng();
  }

  describe(officer) {
    write(this.number, officer?.number ? String(officer.number) : "•");
    write(this.name, officer?.name ?? "");
    this.pin.options.title = officer ? `${officer.number} ${officer.name} · ${officer.site ?? ""}` : "";
    this.pin.options.alt = this.pin.options.title;
    const element = this.pin.getElement();
    if (element) {
      element.title = this.pin.options.title;
      element.setAttribute("aria-label", this.pin.options.title);
    }
  }

  move(position, withTrail) {
    const place = [position.latitude, position.longitude];
    this.pin.setLatLng(place);
    this.circle.setLatLng(place);
    this.circle.setRadius(Math.max(1, position.accuracy_m));
    if (!this.isPlaced) {
      this.isPlaced = true;
      this.circle.addTo(this.map);
      this.pin.addTo(this.map);
      this.pin.getElement().setAttribute("aria-label", this.pin.options.title);
    }
    const heading = position.heading_deg;
    this.arrow.hidden = heading === null || heading === undefined;
    if (!this.arrow.hidden) this.arrow.style.transform = `rotate(${heading}deg)`;
    this.at = position.at;
    this.body.dataset.takenAt = position.taken_at;
    this.body.dataset.receivedAt = position.received_at;
    if (withTrail) {
      this.points.push([...place, position.at]);
      this.drawTrail();
    }
  }

  /** Nowhere for now; the trail stays. */
  hide() {
    if (!this.isPlaced) return;
    this.isPlaced = false;
    this.circle.remove();
    this.pin.remove();
  }

  setTrail(points) {
    this.points = [...points];
    this.drawTrail();
  }

  drawTrail() {
    const newest = this.points.at(-1)?.[2] ?? 0;
    if (this.trailMs !== Infinity) {
      const first = this.points.findIndex(([, , at]) => at >= newest - this.trailMs);
      this.points.splice(0, Math.max(first, this.points.length - TRAIL_POINTS, 0));
    }
    const places = this.points.map(([latitude, longitude]) => [latitude, longitude]);
    this.reach?.setLatLngs(places);
    if (this.seek) this.split(this.splitAt ?? 0);
    else this.trail.setLatLngs(places);
  }

  /** Draw what of the track is over by a moment otherwise than what is to come. */
  split(at) {
    this.splitAt = at;
    const next = this.points.findIndex((point) => point[2] > at);
    const count = next < 0 ? this.points.length : next;
    if (count === this.over && this.points.length === this.drawn) return;
    [this.over, this.drawn] = [count, this.points.length];
    const places = this.points.map(([latitude, longitude]) => [latitude, longitude]);
    this.trail.setLatLngs(places.slice(0, count));
    this.ahead.setLatLngs(places.slice(Math.max(0, count - 1)));
  }

  /** Say how old the place is, and grey it out when it is too old to go by. */
  age(nowMs) {
    if (this.at === null) return;
    const ms = nowMs - this.at;
    this.body.classList.toggle("is-old", ms > OLD_MS);
    write(this.ageText, ms > AGE_SHOWN_MS ? say("map.age", { span: span(ms) }) : "");
  }

  setFocus(isFocused) {
    this.body.classList.toggle("is-focused", isFocused);
    this.pin.setZIndexOffset(isFocused ? 1000 : 0);
  }

  remove() {
    for (const layer of [this.trail, this.ahead, this.reach, this.circle, this.pin]) layer?.remove();
  }
}
