// What the phone has to tell: kept in order until it is acknowledged, told again on every new road.
//
// Positions and camera states go over the data channel, or over the WebSocket while that is down; receipts
// go over the WebSocket. Each kind of road keeps its own order.

const MAX_WAITING = 20_000; // five hours of positions
const MAX_IN_FLIGHT = 32;
const AGAIN_MS = 5000; // what isn't acknowledged by then was dropped: the other side was busy
const BURST = 200;
const PER_SECOND = 40; // what was kept for an hour is through in a minute and a half, beside the living

const trafficOf = (message) => (message.type === "receipt" ? "receipts" : "field");

export class Outbox extends EventTarget {
  #store;
  #owner = "";
  #entries = new Map(); // id → entry, oldest first
  #next = Date.now() * 1000;
  #roads = { field: null, receipts: null };
  #told = { field: new Map(), receipts: new Map() }; // id → when
  #progress = { field: 0, receipts: 0 }; // when one was acknowledged last
  #since = { field: 0, receipts: 0 }; // when the first of those on their way was told
  #budget = { left: BURST, at: performance.now() };
  dropped = 0;

  constructor(store) {
    super();
    this.#store = store;
    setInterval(() => {
      this.#flush("receipts");
      this.#flush("field");
    }, 500);
  }

  /** Take up what this person left behind, on this phone, before a reload. */
  async load(owner) {
    this.#owner = owner;
    this.#entries.clear();
    for (const entry of await this.#store.messages()) {
      this.#next = Math.max(this.#next, entry.n + 1);
      if (entry.owner === owner) this.#entries.set(entry.message.id, entry);
    }
    this.#changed();
  }

  get size() {
    return this.#entries.size;
  }

  /** How long nothing of a traffic was acknowledged though something is on its way. */
  waitingMs(traffic) {
    return this.#told[traffic].size ? performance.now() - Math.max(this.#progress[traffic], this.#since[traffic]) : 0;
  }

  /** Keep a message and tell it as soon as there is a road. */
  add(message) {
    if (this.#entries.size >= MAX_WAITING) this.#makeRoom();
    const entry = { n: this.#next++, owner: this.#owner, message };
    this.#entries.set(message.id, entry);
    this.#store.put(entry).catch(() => {
      // A full disk costs what comes before the next reload, not the telling itself.
    });
    this.#changed();
    this.#flush(trafficOf(message));
  }

  /** It is safe at the centre, or refused for good. */
  settled(id) {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    const traffic = trafficOf(entry.message);
    this.#told[traffic].delete(id);
    this.#progress[traffic] = performance.now();
    this.#store.remove(entry.n).catch(() => {});
    this.#changed();
    this.#flush(traffic);
  }

  /** The road of a traffic is `send` now (null: none); a new one gets everything again. */
  useRoad(traffic, send) {
    if (this.#roads[traffic] === send) return;
    this.#roads[traffic] = send;
    this.#told[traffic].clear();
    this.#flush(traffic);
  }

  /** Wait until all is told and acknowledged, or the time is over; gives what is left. */
  async drained(milliseconds, onCount = () => {}) {
    const end = performance.now() + milliseconds;
    while (this.#entries.size && performance.now() < end) {
      onCount(this.#entries.size);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return this.#entries.size;
  }

  #flush(traffic) {
    const send = this.#roads[traffic];
    if (!send) return;
    const told = this.#told[traffic];
    const now = performance.now();
    const [oldest] = told.values();
    const wasWaiting = told.size > 0;
    // An order that was broken by a drop is mended by telling all of it again.
    if (oldest !== undefined && now - oldest > AGAIN_MS) told.clear();
    for (const [id, { message }] of this.#entries) {
      if (told.size >= MAX_IN_FLIGHT) return;
      if (trafficOf(message) !== traffic || told.has(id)) continue;
      if (!this.#mayTell(now) || !send(JSON.stringify(message))) return;
      if (!told.size && !wasWaiting) this.#since[traffic] = now;
      told.set(id, now);
    }
  }

  #mayTell(now) {
    const budget = this.#budget;
    budget.left = Math.min(BURST, budget.left + ((now - budget.at) * PER_SECOND) / 1000);
    budget.at = now;
    if (budget.left < 1) return false;
    budget.left -= 1;
    return true;
  }

  #makeRoom() {
    // A receipt says more than where somebody was five hours ago.
    let victim = null;
    for (const entry of this.#entries.values()) {
      victim ??= entry;
      if (entry.message.type === "position") {
        victim = entry;
        break;
      }
    }
    this.#entries.delete(victim.message.id);
    this.#told[trafficOf(victim.message)].delete(victim.message.id);
    this.#store.remove(victim.n).catch(() => {});
    this.dropped += 1;
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
