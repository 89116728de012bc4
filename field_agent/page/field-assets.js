// The cases of the officer's operations as the centre has them: read again while somebody looks, kept through a reload.

import * as api from "./api.js";

const KEPT = "assets";
const PENDING_MS = 2500; // somebody looks, and an answer is on its way
const LOOKED_AT_MS = 8000;
const ASIDE_MS = 20_000; // nobody looks, but a judge may decide

/** Events: "change"; "decided" (detail: a proposal of this officer's); "signed-out" (detail: the error). */
export class FieldAssets extends EventTarget {
  view = null;
  isCurrent = false; // whether the last reading succeeded
  #store;
  #owner = "";
  #isLookedAt = false;
  #timer = 0;
  #reading = null;
  #asking = new Map(); // person → {key, trouble}

  constructor(store) {
    super();
    this.#store = store;
    document.addEventListener("visibilitychange", () => this.#plan(0));
    addEventListener("online", () => this.#plan(0));
    addEventListener("offline", () => {
      this.isCurrent = false;
      this.#changed();
    });
  }

  /** Somebody is signed in. */
  async load(owner) {
    const kept = await this.#store.get(KEPT).catch(() => null);
    this.#owner = owner;
    this.view = kept?.owner === owner && kept.view.looks ? kept.view : null; // an older page kept it without
    this.isCurrent = false;
    this.#asking.clear();
    this.#changed();
    this.refresh();
  }

  /** Nobody is, any more. */
  leave() {
    this.#owner = "";
    this.view = null;
    this.#isLookedAt = false;
    this.#asking.clear();
    clearTimeout(this.#timer);
    this.#changed();
  }

  /** Whether the sheet is open. */
  look(isLookedAt) {
    this.#isLookedAt = isLookedAt;
    this.#plan(isLookedAt ? 0 : ASIDE_MS);
  }

  /** Read it anew; asked while it is being read, once more afterwards. */
  async refresh() {
    while (this.#reading) await this.#reading;
    this.#reading = this.#read();
    await this.#reading;
    this.#reading = null;
    this.#plan();
  }

  /** Ask everybody what a person has. One press is one query, however often it has to be sent. */
  async query(caseId, personId) {
    const owner = this.#owner;
    const key = this.#asking.get(personId)?.key ?? crypto.randomUUID();
    this.#asking.set(personId, { key, trouble: "" });
    this.#changed();
    try {
      await api.queryPerson(caseId, personId, key);
    } catch (error) {
      if (owner !== this.#owner) return;
      if (error instanceof api.Refused && error.status === 401) this.#signedOut(error);
      this.#asking.set(personId, { key, trouble: error instanceof api.Refused ? "refused" : "unreachable" });
      this.#changed();
      return;
    }
    await this.refresh();
    this.#asking.delete(personId);
    this.#changed();
  }

  /** Take an own proposal back. */
  async withdraw(id) {
    try {
      await api.withdrawProposal(id);
    } finally {
      await this.refresh();
    }
  }

  /** How asking goes that the centre hasn't taken yet: "sending", "unreachable", "refused", or nothing. */
  sending(personId) {
    const asking = this.#asking.get(personId);
    return asking && (asking.trouble || "sending");
  }

  /** Of a person's gateways how many are being asked, found something, found nothing, failed, or didn't answer. */
  answers(ofCase, personId) {
    const counts = { asking: 0, found: 0, nothing_found: 0, failed: 0, no_answer: 0, things: 0, at: "" };
    for (const answer of ofCase.answers) {
      if (answer.person_id !== personId) continue;
      counts[answer.outcome] += 1;
      counts.things += answer.found;
      counts.at = [counts.at, answer.answered_at ?? answer.sent_at ?? ""].sort().at(-1);
    }
    return counts;
  }

  get #isPending() {
    const isAsked = ({ answers }) => answers.some((answer) => answer.outcome === "asking");
    return this.view?.cases.some(isAsked) || this.#hasOpen;
  }

  get #hasOpen() {
    return this.view?.proposals.some((one) => one.is_mine && one.state === "open");
  }

  async #read() {
    const owner = this.#owner;
    if (!owner) return;
    try {
      const view = await api.myAssets();
      if (owner !== this.#owner) return;
      this.#tellDecided(view);
      this.view = view;
      this.isCurrent = true;
      this.#store.set(KEPT, { owner, view }).catch(() => {});
    } catch (error) {
      if (owner !== this.#owner) return;
      this.isCurrent = false;
      if (error instanceof api.Refused && error.status === 401) this.#signedOut(error);
    }
    this.#changed();
  }

  #tellDecided(view) {
    const before = new Map(this.view?.proposals.map((one) => [one.id, one.state]));
    for (const one of view.proposals) {
      const isNews = one.is_mine && before.get(one.id) === "open" && ["taken_up", "declined"].includes(one.state);
      if (isNews) this.dispatchEvent(new CustomEvent("decided", { detail: one }));
    }
  }

  #plan(milliseconds = this.#isLookedAt ? (this.#isPending ? PENDING_MS : LOOKED_AT_MS) : ASIDE_MS) {
    clearTimeout(this.#timer);
    if (!this.#owner || document.visibilityState !== "visible") return;
    this.#timer = setTimeout(() => {
      // Nobody looks and nothing is to be decided: the network is for the picture.
      if (this.#isLookedAt || this.#hasOpen) this.refresh();
    }, milliseconds);
  }

  #signedOut(error) {
    this.dispatchEvent(new CustomEvent("signed-out", { detail: error }));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
