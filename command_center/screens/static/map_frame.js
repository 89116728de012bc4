// Inside the map's frame: draws what the page around tells by postMessage, on Hohhot's outlines.
//
// Heard:  {type:"clock", server_time}                       the server's time, Unix ms
//         {type:"sites", sites:[{id, ordinal, name, latitude, longitude}]}
//         {type:"officers", officers:[{feed, number, name, site}]}   all of them
//         {type:"position", feed, latitude, longitude, accuracy_m, heading_deg, taken_at, received_at, at}
//         {type:"moment", at}                               the moment of a recording by which places are old or not
//         {type:"hide", feed}                               its place isn't known
//         {type:"track", feed, points:[[latitude, longitude, ms], …]}  oldest first; replaces the feed's trail
//         {type:"close-up", feed | null}                    show its whole track, or all again
//         {type:"focus", feed | null}  {type:"fit"}  {type:"settle"}  {type:"clear"}  {type:"hello"}
// Told:   {type:"ready"}  {type:"picked", feed}  {type:"sought", at}  a point of a track was pressed, in the review
// All places are WGS-84. The view moves by itself only until somebody moves it; "fit" lets it go again.

import { Control } from "./map_control.js";
import { Marker } from "./map_marker.js";
import { giveWay } from "./map_names.js";
import { now, setServerTime } from "./time.js";
import { language, say } from "./words.js";

const TRAIL_MS = 10 * 60_000;
const SITE_NAMES_FROM_ZOOM = 12; // farther out they would cover the officers
const SPLIT_MS = 900;
const OUTLINE = { color: "#47658a", weight: 1.4, fillColor: "#12263c", fillOpacity: 0.55, interactive: false };

class Frame {
  constructor(map, kind) {
    this.map = map;
    this.isReview = kind === "review";
    this.markers = new Map();
    this.officers = new Map();
    this.sites = L.layerGroup().addTo(map);
    this.home = null;
    this.isLocked = false;
    this.control = new Control(map, { fit: () => this.fit(true) });
    const container = map.getContainer();
    for (const gesture of ["pointerdown", "wheel", "keydown"]) {
      container.addEventListener(gesture, (event) => {
        if (!event.target.closest?.(".map-control, .leaflet-marker-icon")) this.lock(true);
      }, { passive: true });
    }
    L.control.scale({ imperial: false }).addTo(map);
    const showNames = () => container.classList.toggle("with-site-names", map.getZoom() >= SITE_NAMES_FROM_ZOOM);
    map.on("zoomend", showNames);
    showNames();
    map.on("zoomend moveend", () => this.arrangeNames());
    if (!this.isReview) setInterval(() => this.age(now()), 1_000);
  }

  async drawOutlines() {
    const outlines = await (await fetch("/static/map/hohhot.geojson")).json();
    const layer = L.geoJSON(outlines, { style: OUTLINE }).addTo(this.map);
    for (const { properties } of outlines.features) {
      const [longitude, latitude] = properties.label;
      const text = document.createElement("span");
      text.textContent = properties[language];
      const icon = L.divIcon({ className: "map-district", html: text, iconSize: null });
      L.marker([latitude, longitude], { icon, interactive: false, keyboard: false, zIndexOffset: -1000 }).addTo(this.map);
    }
    this.home = layer.getBounds();
    this.map.fitBounds(this.home, { animate: false });
    this.map.setMinZoom(this.map.getZoom() - 1);
    this.map.setMaxZoom(18);
    this.map.setMaxBounds(this.home.pad(0.6));
  }

  hear(message) {
    switch (message.type) {
      case "clock": return setServerTime(message.server_time);
      case "sites": return this.drawSites(message.sites);
      case "officers": return this.takeOfficers(message.officers);
      case "position": return this.move(message);
      case "track": return this.marker(message.feed).setTrail(message.points);
      case "moment": return this.moment(message.at);
      case "hide": return this.markers.get(message.feed)?.hide();
      case "focus": return this.focus(message.feed);
      case "close-up": return this.closeUp(message.feed);
      case "fit": return this.fit(true);
      case "settle": return this.fit(false);
      case "clear": return this.clear();
      case "hello": return tell({ type: "ready" });
      default: return undefined;
    }
  }

  marker(feed) {
    let marker = this.markers.get(feed);
    if (!marker) {
      const pick = () => {
        this.focus(feed);
        tell({ type: "picked", feed });
      };
      const seek = (at) => tell({ type: "sought", at });
      marker = this.isReview ? new Marker(this.map, feed, pick, Infinity, seek) : new Marker(this.map, feed, pick, TRAIL_MS);
      this.markers.set(feed, marker);
      marker.describe(this.officers.get(feed));
    }
    return marker;
  }

  move(position) {
    const marker = this.marker(position.feed);
    const wasPlaced = marker.isPlaced;
    marker.move(position, !this.isReview);
    if (!this.isReview) marker.age(now());
    this.arrangeNames();
    if (!wasPlaced || (!this.isLocked && !this.map.getBounds().contains(marker.place))) this.fit(false);
  }

  /** Once before the next frame, however much moved. */
  arrangeNames() {
    this.arranging ??= requestAnimationFrame(() => {
      this.arranging = null;
      giveWay(this.map.getContainer());
    });
  }

  takeOfficers(officers) {
    this.officers = new Map(officers.map((officer) => [officer.feed, officer]));
    for (const [feed, marker] of this.markers) marker.describe(this.officers.get(feed));
    this.arrangeNames();
  }

  drawSites(sites) {
    this.sites.clearLayers();
    for (const site of sites) {
      const body = document.createElement("span");
      body.textContent = site.name;
      const icon = L.divIcon({ className: "map-site", html: body, iconSize: null });
      L.marker([site.latitude, site.longitude], { icon, interactive: false, keyboard: false, zIndexOffset: -500 }).addTo(this.sites);
    }
    this.arrangeNames();
    this.placesOfSites = sites.map((site) => [site.latitude, site.longitude]);
  }

  focus(feed) {
    for (const [each, marker] of this.markers) marker.setFocus(each === feed);
    const marker = this.markers.get(feed);
    if (marker?.isPlaced && !this.map.getBounds().pad(-0.05).contains(marker.place)) this.map.panTo(marker.place, { animate: false });
  }

  /** Show all officers and sites; `isAsked` also lets go a view that somebody holds. */
  fit(isAsked) {
    if (isAsked) this.lock(false);
    if (this.isLocked) return;
    const places = [...this.markers.values()].filter((marker) => marker.isPlaced).map((marker) => marker.place);
    places.push(...(this.placesOfSites ?? []));
    if (places.length) this.map.fitBounds(L.latLngBounds(places).pad(0.12), { maxZoom: 15, animate: false, padding: [30, 30] });
    else if (this.home) this.map.fitBounds(this.home, { animate: false });
  }

  /** One officer's whole track, or all again; a view that somebody holds stays. */
  closeUp(feed) {
    const points = this.markers.get(feed)?.points ?? [];
    if (this.isLocked) return;
    if (points.length === 0) this.fit(false);
    else this.map.fitBounds(L.latLngBounds(points.map(([latitude, longitude]) => [latitude, longitude])).pad(0.15), { maxZoom: 17, animate: false });
  }

  lock(isLocked) {
    this.isLocked = isLocked;
    this.control.showLock(isLocked);
  }

  age(nowMs) {
    for (const marker of this.markers.values()) marker.age(nowMs);
    this.arrangeNames();
  }

  /** The review's clock moved: places age by it, and tracks are over up to it. */
  moment(at) {
    if (Math.abs(at - (this.splitAt ?? -Infinity)) >= SPLIT_MS) {
      this.splitAt = at;
      for (const marker of this.markers.values()) marker.split(at);
    }
    this.age(at);
  }

  clear() {
    for (const marker of this.markers.values()) marker.remove();
    this.markers.clear();
    this.splitAt = null;
    this.sites.clearLayers();
  }
}

function tell(message) {
  if (parent !== window) parent.postMessage(message, location.origin);
}

/** Called by the page once its map stands. */
export async function start(map, kind) {
  document.title = say("map.title");
  const frame = new Frame(map, kind);
  window.mapFrame = frame;
  await frame.drawOutlines();
  addEventListener("message", (event) => {
    if (event.origin === location.origin && event.source === parent) frame.hear(event.data);
  });
  new ResizeObserver(() => {
    map.invalidateSize({ animate: false });
    frame.fit(false);
  }).observe(map.getContainer());
  tell({ type: "ready" });
}
