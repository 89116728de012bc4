// Talking to officers: whom the key is for, the key itself, and who talks now.

import { h, write } from "./dom.js";
import { onKey } from "./keys.js";
import { live } from "./live.js";
import { onOperation } from "./operation.js";
import { person } from "./person.js";
import { Speech } from "./talk_speech.js";
import { feedsOnAir, placesOf, TalkTargets } from "./talk_targets.js";
import { span } from "./time.js";
import { say } from "./words.js";

const KEY = "t";
const NEWS_MS = 6_000;
const OTHERS_MS = 4_000; // a talk of somebody else is told again each second; one that isn't is over
const TICK_MS = 200;
let speech = null;

export function mount(element) {
  const bar = new TalkBar(person().permissions.includes("talk"));
  element.append(bar.element);
  onOperation((operation) => bar.takeOperation(operation));
  for (const type of ["snapshot", "feed", "team"]) live.on(type, () => bar.paint());
  for (const type of ["snapshot", "feed", "part"]) live.on(type, () => speech?.seek());
  live.on("talk", (view) => bar.takeTalk(view));
  setInterval(() => bar.paint(), TICK_MS);
}

/** A button that talks to one feed's officer while it is held; null for who may not. */
export function talkButton(feed) {
  if (!person().permissions.includes("talk")) return null;
  const button = h("button.quiet.tile-talk", { type: "button", title: say("talk.officer.title") }, say("talk.officer"));
  hold(button, () => speech?.begin([feed]));
  return button;
}

/** Call `begin` while the button is held, by pointer or by its own keys; let go however it ends. */
function hold(button, begin) {
  const end = () => speech?.end();
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    button.setPointerCapture(event.pointerId);
    begin();
  });
  for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) button.addEventListener(type, end);
  for (const type of ["click", "contextmenu"]) {
    button.addEventListener(type, (event) => {
      event.preventDefault();
      event.stopPropagation();
    });
  }
  button.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat) begin();
  });
  button.addEventListener("keyup", (event) => (event.key === " " || event.key === "Enter") && end());
  button.addEventListener("blur", end);
}

class TalkBar {
  constructor(mayTalk) {
    this.mayTalk = mayTalk;
    this.others = new Map();
    this.newsUntil = 0;
    this.targets = new TalkTargets(() => this.paint());
    this.level = h("i.talk-level", { "aria-hidden": "true" });
    this.button = h("button.talk-key", { type: "button" }, this.level, h("span"));
    this.news = h("span.talk-news", { role: "status" });
    this.trouble = h("p.talk-trouble", { role: "status" });
    this.element = h("div.talk", {}, this.news, mayTalk && this.targets.select, mayTalk && this.button, this.trouble);
    if (mayTalk) this.listenForKeys();
  }

  listenForKeys() {
    hold(this.button, () => speech?.begin(this.targets.feeds()));
    let code = null;
    onKey((event) => {
      if (event.key.toLowerCase() !== KEY || event.shiftKey) return false;
      if (!event.repeat) {
        code = event.code;
        speech?.begin(this.targets.feeds());
      }
      return true;
    });
    document.addEventListener("keyup", (event) => {
      if (event.code !== code) return;
      code = null;
      speech?.end();
    });
    addEventListener("blur", () => speech?.end());
    document.addEventListener("visibilitychange", () => document.hidden && speech?.end());
    addEventListener("pagehide", () => speech?.close());
  }

  takeOperation(operation) {
    speech?.close();
    speech = null;
    this.others.clear();
    this.targets.takeOperation(operation);
    if (this.mayTalk && operation && operation.state !== "ended") {
      speech = new Speech(operation.id, () => this.paint(), (words) => this.tell(words));
    }
    this.paint();
  }

  /** Something that is worth a sentence for a while. */
  tell(words) {
    this.said = words;
    this.newsUntil = performance.now() + NEWS_MS;
    this.paint();
  }

  takeTalk(view) {
    if (view.is_over) this.others.delete(view.talk_id);
    else this.others.set(view.talk_id, { view, at: performance.now() });
    this.paint();
  }

  paint() {
    for (const [id, { at }] of this.others) if (performance.now() - at > OTHERS_MS) this.others.delete(id);
    this.targets.paint();
    const talk = speech?.talk ?? null;
    const phase = talk ? (talk.isHeard ? "talking" : "opening") : "idle";
    this.element.dataset.phase = phase;
    this.button.disabled = phase === "idle" && !(speech?.isReady && this.targets.feeds().length);
    write(this.button.lastChild, this.keyWords(talk, phase));
    this.level.style.width = `${Math.round(100 * (speech?.level() ?? 0))}%`;
    write(this.news, this.newsWords(talk, phase));
    this.news.title = this.news.textContent;
    write(this.trouble, this.troubleWords(talk, phase));
    this.markTiles(talk, phase);
  }

  keyWords(talk, phase) {
    if (phase === "opening") return say("talk.opening");
    if (phase === "talking") return say("talk.talking", { target: this.targets.named(talk.to), span: span(performance.now() - talk.since) });
    if (speech && !speech.isReady) return say("talk.connecting");
    return say("talk.hold", { target: this.targets.chosen() });
  }

  newsWords(talk, phase) {
    if (phase === "talking") {
      const ending = talk.endsAt ? say("talk.ending", { seconds: Math.max(0, Math.ceil((talk.endsAt - performance.now()) / 1_000)) }) : "";
      return [ending, say("talk.heard", { heard: speech.heard.size, count: talk.to.length })].filter(Boolean).join(" · ");
    }
    const other = [...this.others.values()].find(({ view }) => !speech?.knows(view.talk_id));
    if (other) return say("talk.other", { speaker: other.view.speaker, target: this.targets.named(other.view.to) });
    return speech?.isMicrophoneOpen && phase === "idle" ? say("talk.mic.open") : "";
  }

  /** What keeps this talk, or the next, from everybody that it is for. */
  troubleWords(talk, phase) {
    const isTalking = phase === "talking";
    const busy = isTalking && speech.busy.length ? say("talk.busy.some", { speaker: speech.busy[0].speaker }) : "";
    const said = !isTalking && performance.now() < this.newsUntil ? this.said : "";
    return [said, this.reachWords(isTalking ? talk.to : feedsOnAir()), busy].filter(Boolean).join(" · ");
  }

  /** Which part isn't reached, if any: how many nodes, and the places of these feeds. */
  reachWords(feeds) {
    const { reached, count } = speech?.reach ?? {};
    if (reached === count) return "";
    const unreached = speech.unreached(feeds);
    if (unreached.length) return say("talk.part.sites", { reached, count, sites: placesOf(unreached) });
    return say("talk.part", { reached, count });
  }

  /** Each tile whose officer is spoken to says so. */
  markTiles(talk, phase) {
    const spoken = new Map();
    for (const { view } of this.others.values()) for (const feed of view.heard) spoken.set(feed, view.speaker);
    if (phase === "talking") for (const feed of speech.heard) spoken.set(feed, null);
    for (const tile of document.querySelectorAll("#wall .tile")) {
      const mark = tile.querySelector(".tile-voice");
      if (!spoken.has(tile.dataset.feed)) mark?.remove();
      else if (!mark) tile.querySelector(".tile-site").after(h("span.tile-voice", { title: spoken.get(tile.dataset.feed) }, say("talk.tile")));
    }
  }
}
