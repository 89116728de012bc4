// The centre's side of the map: tells the frame what to draw, and hears which marker was clicked.

import { onKey } from "./keys.js";
import { live } from "./live.js";
import { onOperation } from "./operation.js";
import { now } from "./time.js";
import { inLanguage, say } from "./words.js";
import { write } from "./dom.js";

let frame;
let isReady = false;
let sites = [];
const heard = new Map();
let tracks = [];

export function mount(element) {
  frame = element.querySelector("iframe");
  addEventListener("message", (event) => {
    if (event.source === frame.contentWindow && event.origin === location.origin) hear(event.data);
  });
  tell({ type: "hello" }); // a frame that was there first says again that it is ready
  onOperation((operation) => {
    sites = (operation?.sites ?? []).map((site) => ({
      id: site.id, ordinal: site.ordinal, latitude: site.latitude, longitude: site.longitude, name: inLanguage(site, "name"),
    }));
    heard.clear();
    tracks = [];
    paintAll();
  });
  live.on("snapshot", (snapshot) => {
    heard.clear();
    for (const position of snapshot.positions) heard.set(position.feed, position);
    tracks = snapshot.tracks;
    paintAll();
  });
  live.on("feed", tellOfficers);
  live.on("position", (position) => {
    const isNew = !heard.has(position.feed);
    heard.set(position.feed, position);
    tell(position);
    if (isNew) count();
  });
  live.on("track", tell);
  addEventListener("command:focus", (event) => tell({ type: "focus", feed: event.detail.feed }));
  onKey((event) => {
    if (event.key.toLowerCase() !== "f") return false;
    tell({ type: "fit" });
    return true;
  });
}

function hear(message) {
  if (message.type === "ready") {
    isReady = true;
    paintAll();
  } else if (message.type === "picked") {
    dispatchEvent(new CustomEvent("command:pick", { detail: { feed: message.feed } }));
  }
}

function paintAll() {
  count();
  if (!isReady) return;
  tell({ type: "clear" });
  tell({ type: "clock", server_time: now() });
  tell({ type: "sites", sites });
  tellOfficers();
  for (const track of tracks) tell(track);
  for (const position of heard.values()) tell(position);
  tell({ type: "settle" });
}

function tellOfficers() {
  const numbers = live.numbers();
  const officers = live.ordered().map((view) => ({
    feed: view.feed, number: numbers.get(view.feed), name: view.officer, site: inLanguage(view, "site"),
  }));
  tell({ type: "officers", officers });
}

function tell(message) {
  if (isReady || message.type === "hello") frame.contentWindow?.postMessage(message, location.origin);
}

function count() {
  write(document.getElementById("map-notes"), heard.size ? say("map.count", { count: heard.size }) : "");
}
