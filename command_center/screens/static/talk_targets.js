// Whom a talk is for: the picked tile, everybody, a site or an officer; and how feeds are named as such.

import { h } from "./dom.js";
import { live } from "./live.js";
import { inLanguage, say } from "./words.js";

const ON_AIR = new Set(["connecting", "live", "stale", "lost"]);

export class TalkTargets {
  constructor(changed) {
    this.operation = null;
    this.picked = null;
    this.key = "";
    this.select = h("select.talk-target", { "aria-label": say("talk.target"), onchange: () => {
      this.select.blur(); // the keys belong to the page again
      changed();
    } });
    addEventListener("command:focus", (event) => {
      this.picked = event.detail.feed;
      changed();
    });
  }

  takeOperation(operation) {
    this.operation = operation;
    this.picked = null;
    this.paint();
  }

  /** The choice stays, whatever comes and goes. */
  paint() {
    const sites = this.operation?.sites ?? [];
    const officers = this.operation?.officers ?? [];
    const numbers = this.numbers();
    const key = JSON.stringify([sites.map((site) => site.id), officers.map((one) => [one.user_id, numbers.get(one.user_id)])]);
    if (key === this.key) return;
    this.key = key;
    const chosen = this.select.value;
    this.select.replaceChildren(
      h("option", { value: "picked" }, say("talk.target.picked")),
      h("option", { value: "all" }, say("target.all")),
      h("optgroup", { label: say("target.sites") }, sites.map((site) => h("option", { value: `site:${site.id}` }, `${site.ordinal} ${inLanguage(site, "name")}`))),
      h("optgroup", { label: say("target.officers") }, officers.map((officer) => (
        h("option", { value: `officer:${officer.user_id}` }, [numbers.get(officer.user_id), officer.display_name].filter(Boolean).join(" "))
      ))),
    );
    this.select.value = chosen || "picked";
    if (!this.select.value) this.select.value = "picked";
  }

  numbers() {
    const byFeed = live.numbers();
    return new Map(live.ordered().map((view) => [view.officer_id, byFeed.get(view.feed)]));
  }

  /** The feeds of the choice whose phones are on the air. */
  feeds() {
    const [scope, id] = this.select.value.split(":");
    const isMeant = {
      picked: (view) => view.feed === this.picked,
      all: () => true,
      site: (view) => view.site_id === id,
      officer: (view) => view.officer_id === id,
    }[scope];
    return onAir().filter(isMeant).map((view) => view.feed);
  }

  /** The choice in words. */
  chosen() {
    if (this.select.value !== "picked") return this.select.selectedOptions[0]?.textContent ?? "";
    const view = live.feeds.get(this.picked);
    return view ? nameOf(view) : say("talk.target.none");
  }

  /** These feeds in words: everybody, a site, or the officers. */
  named(feeds) {
    const wanted = new Set(feeds);
    const views = live.ordered().filter((view) => wanted.has(view.feed));
    if (views.length === 0) return "";
    if (views.length === 1) return nameOf(views[0]);
    if (onAir().every((view) => wanted.has(view.feed))) return say("target.all");
    const sites = new Set(views.map((view) => view.site_id));
    if (sites.size === 1) return `${views[0].site_ordinal} ${inLanguage(views[0], "site")}`;
    return say("talk.target.many", { name: nameOf(views[0]), count: views.length });
  }
}

const PLACES = 3;

/** Where these feeds are, in words: their sites, the first few. */
export function placesOf(feeds) {
  const wanted = new Set(feeds);
  const views = live.ordered().filter((view) => wanted.has(view.feed));
  const places = [...new Set(views.map((view) => `${view.site_ordinal} ${inLanguage(view, "site")}`))];
  const named = places.slice(0, PLACES).join(say("talk.and"));
  return places.length > PLACES ? say("talk.target.many", { name: named, count: places.length }) : named;
}

/** All feeds that could be talked to. */
export function feedsOnAir() {
  return onAir().map((view) => view.feed);
}

const onAir = () => live.ordered().filter((view) => ON_AIR.has(view.phase) && view.cause !== "revoked");
const nameOf = (view) => `${live.numbers().get(view.feed)} ${view.officer}`;
