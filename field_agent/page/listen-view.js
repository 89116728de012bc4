// Shows who of the centre speaks, and when it couldn't be heard.

import { onLanguage, say } from "./words.js";

const one = (selector) => document.querySelector(selector);
const MISSED_MS = 6000; // a line that is being opened is no news yet

export class ListenView {
  #listener;
  #missedSince = 0;

  constructor(listener) {
    this.#listener = listener;
    listener.addEventListener("change", () => this.show());
    onLanguage(() => this.show());
    setInterval(() => this.show(), 1000);
  }

  show() {
    const { speaker, isConnected, isBlocked, isWanted } = this.#listener;
    one("#voice").hidden = speaker === null;
    one("#voice-word").textContent = say("voice.speaking");
    one("#voice-name").textContent = isBlocked ? say("voice.touch") : (speaker ?? "");
    this.#missedSince = isConnected || !isWanted ? 0 : this.#missedSince || Date.now();
    const isMissed = this.#missedSince > 0 && Date.now() - this.#missedSince > MISSED_MS;
    const chip = one("#chip-voice");
    chip.hidden = !(isMissed || isBlocked);
    chip.textContent = say(isMissed ? "chip.voice.away" : "voice.touch");
    chip.dataset.state = "away";
  }
}
