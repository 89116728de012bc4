// The live page: the state strip, the preview, the chips, and the buttons under the thumb.

import { onLanguage, say } from "./words.js";

const one = (selector) => document.querySelector(selector);
const SLOW_RTT_MS = 800;
const SLOW_KBPS = 250;
const HINT_MS = 6000;

const COURT = { timeZone: "Asia/Shanghai", hourCycle: "h23" };
const clock = new Intl.DateTimeFormat("zh-CN", { ...COURT, hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("sv-SE", { ...COURT, month: "2-digit", day: "2-digit" });

const two = (number) => String(number).padStart(2, "0");

/** An instant by the court's clock, wherever the phone believes to be; of another day, with the day. */
export function clockWords(unixMs) {
  const words = clock.format(unixMs);
  return day.format(unixMs) === day.format(Date.now()) ? words : `${day.format(unixMs)} ${words}`;
}

function durationWords(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const minutes = two(Math.floor(seconds / 60) % 60);
  return `${two(Math.floor(seconds / 3600))}:${minutes}:${two(seconds % 60)}`;
}

function chip(id, words, state = "") {
  const element = one(`#chip-${id}`);
  element.hidden = !words;
  element.textContent = words;
  element.dataset.state = state;
}

export class LiveView {
  #publisher;
  #positions;
  #outbox;
  #socket;
  #camera;
  #battery = null;
  #figures = null;
  #liveSince = 0;
  #hintTimer = 0;

  constructor({ publisher, positions, outbox, socket, camera }) {
    Object.assign(this, { shown: false });
    this.#publisher = publisher;
    this.#positions = positions;
    this.#outbox = outbox;
    this.#socket = socket;
    this.#camera = camera;
    for (const part of [publisher, positions, outbox, socket]) part.addEventListener("change", () => this.show());
    camera.addEventListener("changed", () => this.#showPicture());
    publisher.addEventListener("figures", ({ detail }) => {
      this.#figures = detail;
      this.show();
    });
    onLanguage(() => this.show());
    setInterval(() => this.#tick(), 1000);
  }

  /** The page is in front now. */
  open() {
    this.#liveSince = Date.now();
    one("#live-stage").prepend(one("#preview"));
    this.#showPicture();
    this.hint(say("live.notice"), 2 * HINT_MS);
    this.show();
  }

  /** A sentence over the picture, for a while. */
  hint(words, milliseconds = HINT_MS) {
    const element = one("#hint");
    element.textContent = words;
    element.hidden = false;
    clearTimeout(this.#hintTimer);
    this.#hintTimer = setTimeout(() => {
      element.hidden = true;
    }, milliseconds);
  }

  /** What the battery says. */
  battery(percent, isLow) {
    this.#battery = { percent, isLow };
    this.show();
  }

  /** Draw all of it. */
  show() {
    const { phase, reason } = this.#publisher;
    const strip = one("#strip");
    strip.dataset.phase = phase;
    strip.dataset.reason = reason;
    one("#strip-word").textContent = say(`strip.${phase}`);
    one("#strip-reason").textContent = reason ? say(`reason.${reason}`) : "";
    one("#stop").hidden = !this.#publisher.isWanted;
    one("#resume").hidden = this.#publisher.isWanted;
    one("#restore").hidden = !(this.#publisher.isWanted && reason === "camera");
    one("#live-stage").dataset.phase = phase;
    one("#switch-camera").disabled = !this.#publisher.isWanted;
    this.#showMute();
    this.#showChips();
    this.#tick();
  }

  #showChips() {
    const isOpen = this.#socket.isOpen;
    chip("socket", say(isOpen ? "chip.socket.open" : "chip.socket.away"), isOpen ? "good" : "away");
    const { state, accuracy } = this.#positions;
    const good = say("chip.position.good", { metres: Math.round(accuracy) });
    chip("position", state === "good" ? good : say("chip.position.away"), state === "good" ? "good" : "away");
    // A handful is always on its way; more than that is waiting for a road.
    const waiting = this.#outbox.size > 3 ? say("chip.waiting", { count: this.#outbox.size }) : "";
    chip("waiting", this.#outbox.dropped ? say("chip.dropped", { count: this.#outbox.dropped }) : waiting, "caution");
    const low = this.#battery?.isLow ? say("chip.battery", { percent: this.#battery.percent }) : "";
    chip("battery", low, "serious");
    const { rttMs = 0, kbps = 0, limited = "" } = this.#figures ?? {};
    const isLive = this.#publisher.phase === "live";
    const weak = isLive && (rttMs > SLOW_RTT_MS || (limited === "bandwidth" && kbps < SLOW_KBPS));
    chip("network", weak ? say("chip.network.weak") : "", "caution");
  }

  #showMute() {
    const { isMuted } = this.#camera;
    one("#mute").setAttribute("aria-pressed", String(isMuted));
    one("#mute-word").textContent = say(isMuted ? "live.unmute" : "live.mute");
  }

  #showPicture() {
    const preview = one("#preview");
    if (preview.srcObject !== this.#camera.stream) preview.srcObject = this.#camera.stream;
    // One's own face is expected as in a mirror; what the centre sees isn't mirrored.
    preview.dataset.facing = this.#camera.facing;
    this.#camera.hasAnother().then((has) => {
      one("#switch-camera").classList.toggle("useless", !has);
    });
  }

  #tick() {
    const { phase, since } = this.#publisher;
    if (phase === "connecting") this.#liveSince = Date.now();
    const from = phase === "live" ? this.#liveSince : since;
    one("#strip-time").textContent = phase === "connecting" ? "" : durationWords(Date.now() - from);
    const { width = 0, height = 0, kbps = 0 } = this.#figures ?? {};
    const sent = width ? `${width}×${height} · ${(kbps / 1000).toFixed(1)} Mbit/s` : "";
    const words = phase === "live" ? `${clockWords(Date.now() + this.#socket.clockOffsetMs)}  ${sent}` : "";
    one("#picture-note").textContent = words || (phase === "stopped" ? say("live.picture-stopped") : "");
  }
}
