// The instructions of this officer and what was answered; kept through a reload, merged with what the centre has.

const RANK = ["sent", "delivered", "seen", "accepted", "refused", "done"];
const WEIGHT = { critical: 0, urgent: 1, routine: 2 };
const MOST_KEPT = 200;
const KEPT = "instructions";

/** Events: "change"; "new" (detail: the instruction). */
export class Instructions extends EventTarget {
  #store;
  #owner = "";
  #tell;
  #known = new Map(); // delivery id → instruction with `state` and `reason`

  constructor(store, tell) {
    super();
    this.#store = store;
    this.#tell = tell;
  }

  /** Take up what this officer had before. */
  async load(owner) {
    this.#owner = owner;
    const kept = await this.#store.get(KEPT);
    this.#known = new Map(kept?.owner === owner ? kept.items.map((one) => [one.delivery_id, one]) : []);
    this.dispatchEvent(new Event("change"));
  }

  /** All, newest first. */
  get all() {
    return [...this.#known.values()].sort((one, other) => other.sequence - one.sequence);
  }

  /** Those without an answer, the most pressing first, then in the order in which they were given. */
  get open() {
    return this.all
      .filter((one) => RANK.indexOf(one.state) < RANK.indexOf("accepted"))
      .sort((one, other) => WEIGHT[one.priority] - WEIGHT[other.priority] || one.sequence - other.sequence);
  }

  /** Those accepted and not yet done, oldest first. */
  get accepted() {
    return this.all.filter((one) => one.state === "accepted").reverse();
  }

  /** One came from the centre: new, or again. */
  received(delivery) {
    const known = this.#known.get(delivery.delivery_id);
    if (known) {
      // The centre may not have our receipt yet: the further state of the two is the true one.
      if (RANK.indexOf(delivery.state) > RANK.indexOf(known.state)) this.#keep({ ...known, state: delivery.state });
      if (delivery.state === "sent") this.#receipt(known, "delivered");
      return;
    }
    const isNew = delivery.state === "sent" || delivery.state === "delivered";
    this.#keep({ ...delivery, reason: "" });
    if (delivery.state === "sent") this.#step(delivery.delivery_id, "delivered");
    if (isNew) this.dispatchEvent(new CustomEvent("new", { detail: delivery }));
  }

  /** It is on the screen. */
  seen(id) {
    const known = this.#known.get(id);
    if (known && RANK.indexOf(known.state) < RANK.indexOf("seen")) this.#step(id, "seen");
  }

  /** One tap. */
  accept(id) {
    this.#step(id, "accepted");
  }

  /** With a reason. */
  refuse(id, reason) {
    this.#step(id, "refused", reason);
  }

  /** Carried out. */
  done(id) {
    this.#step(id, "done");
  }

  #step(id, state, reason = "") {
    const known = this.#known.get(id);
    if (!known || (RANK.indexOf(known.state) >= RANK.indexOf(state) && known.state !== "sent")) return;
    const next = { ...known, state, reason: reason || known.reason };
    this.#receipt(next, state, reason);
    this.#keep(next);
  }

  #receipt(one, state, reason = "") {
    const id = crypto.randomUUID();
    this.#tell({ type: "receipt", id, delivery_id: one.delivery_id, state, at: Date.now(), reason });
  }

  #keep(one) {
    this.#known.set(one.delivery_id, one);
    const kept = this.all.slice(0, MOST_KEPT);
    this.#known = new Map(kept.map((each) => [each.delivery_id, each]));
    this.#store.set(KEPT, { owner: this.#owner, items: kept }).catch(() => {});
    this.dispatchEvent(new Event("change"));
  }
}
