// What the phone keeps through a reload: the outbox and a few values, in IndexedDB.

const NAME = "field";
const VERSION = 1;

/** The value that outlives a sign-out: proposals that the centre hasn't got yet. */
export const UNSENT = "unsent-proposals";

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** An open database; without one (private windows of old phones) everything still works until the reload. */
export class Store {
  static async open() {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("outbox", { keyPath: "n" });
      request.result.createObjectStore("values");
    };
    try {
      const database = await settled(request);
      navigator.storage?.persist?.().catch(() => false);
      return new Store(database);
    } catch {
      return new Store(null);
    }
  }

  constructor(database) {
    this.database = database;
  }

  #use(name, mode) {
    return this.database.transaction(name, mode, { durability: "relaxed" }).objectStore(name);
  }

  /** All kept messages, oldest first. */
  async messages() {
    return this.database ? settled(this.#use("outbox", "readonly").getAll()) : [];
  }

  /** Keep one message under its number. */
  async put(entry) {
    if (this.database) await settled(this.#use("outbox", "readwrite").put(entry));
  }

  /** Forget one. */
  async remove(n) {
    if (this.database) await settled(this.#use("outbox", "readwrite").delete(n));
  }

  /** One of the values. */
  async get(key) {
    return this.database ? settled(this.#use("values", "readonly").get(key)) : undefined;
  }

  /** Keep a value. */
  async set(key, value) {
    if (this.database) await settled(this.#use("values", "readwrite").put(value, key));
  }

  /** Forget everything but what is still to be uploaded. */
  async wipe() {
    if (!this.database) return;
    const values = this.#use("values", "readwrite");
    const unsent = await settled(values.get(UNSENT));
    values.clear();
    if (unsent?.length) await settled(values.put(unsent, UNSENT));
    else await settled(values.count());
  }
}
