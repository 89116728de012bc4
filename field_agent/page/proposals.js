// What the officer proposed and the centre hasn't got yet: kept on the phone, and sent with the same id until it is answered.

import { ask, Refused } from "./api.js";
import { UNSENT } from "./store.js";

const AGAIN_MS = 5000;
const MOST_KEPT = 100;

/** Whether asking again later can help. */
const isForNow = (error) => !(error instanceof Refused) || error.status >= 500 || [401, 408, 425, 429].includes(error.status);

/** Events: "change"; "sent" (detail: what the centre has); "signed-out" (detail: the error). */
export class Proposals extends EventTarget {
  #store;
  #owner = "";
  #entries = []; // {owner, at, title, body, refusal}, oldest first; of everybody who uses this phone
  #isSending = false;

  constructor(store) {
    super();
    this.#store = store;
    setInterval(() => this.send(), AGAIN_MS);
    addEventListener("online", () => this.send());
  }

  /** Take up what this person left behind. */
  async load(owner) {
    this.#entries = (await this.#store.get(UNSENT).catch(() => null)) ?? [];
    this.#owner = owner;
    this.#changed();
    this.send();
  }

  /** Nobody is signed in: what is kept waits for its owner. */
  leave() {
    this.#owner = "";
  }

  /** What is kept of this person, newest first; with `refusal` (a code) where the centre won't have it. */
  get kept() {
    return this.#entries.filter((entry) => entry.owner === this.#owner).reverse();
  }

  /** How many the centre has still to get. */
  get waiting() {
    return this.kept.filter((entry) => !entry.refusal).length;
  }

  /** Keep one, and send it as soon as there is a road. `title` says what it is about, on this phone. */
  async add(body, title) {
    const entry = { owner: this.#owner, at: Date.now(), title, body: { ...body, idempotency_key: crypto.randomUUID() } };
    this.#entries = [...this.#entries, entry].slice(-MOST_KEPT);
    await this.#keep();
    this.#changed();
    await this.send();
  }

  /** Forget one that was refused. */
  async drop(key) {
    this.#entries = this.#entries.filter((entry) => entry.body.idempotency_key !== key);
    await this.#keep();
    this.#changed();
  }

  /** Send what waits, in order, until one can't be sent now. */
  async send() {
    if (this.#isSending || !this.#owner) return;
    this.#isSending = true;
    try {
      for (const entry of this.kept.reverse()) {
        if (!entry.refusal && !(await this.#sendOne(entry))) break;
      }
    } finally {
      this.#isSending = false;
    }
  }

  /** Wait until all is sent, or the time is over; gives what is left. */
  async drained(milliseconds) {
    const end = performance.now() + milliseconds;
    await this.send();
    while (this.waiting && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 100));
    return this.waiting;
  }

  async #sendOne(entry) {
    const options = { body: JSON.stringify(entry.body), type: "application/json" };
    try {
      const answer = await ask("POST", "/api/assets/mine/proposals", options);
      const proposal = await answer.json();
      await this.drop(entry.body.idempotency_key);
      this.dispatchEvent(new CustomEvent("sent", { detail: proposal }));
    } catch (error) {
      if (error instanceof Refused && error.status === 401) this.dispatchEvent(new CustomEvent("signed-out", { detail: error }));
      if (isForNow(error)) return false;
      entry.refusal = error.code || "other";
      await this.#keep();
      this.#changed();
    }
    return true;
  }

  #keep() {
    return this.#store.set(UNSENT, this.#entries).catch(() => {
      // A full disk costs what comes before the next reload, not the sending itself.
    });
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
