// What the phone itself offers: its name, a screen that stays on, its battery, and the page kept for bad networks.

const KEPT = "field-device";
const LOW_PERCENT = 20;

/** This phone's name: made once, stays with this browser. */
export function deviceName() {
  let name = localStorage.getItem(KEPT);
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name ?? "")) {
    const random = crypto.getRandomValues(new Uint32Array(2));
    name = `phone-${[...random].map((one) => one.toString(36)).join("")}`;
    localStorage.setItem(KEPT, name);
  }
  return name;
}

/** Keeps the screen on while wanted; the system takes the lock whenever the page is hidden. */
export class WakeLock {
  #wanted = false;
  #lock = null;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#take());
  }

  hold() {
    this.#wanted = true;
    this.#take();
  }

  release() {
    this.#wanted = false;
    this.#lock?.release().catch(() => {});
    this.#lock = null;
  }

  async #take() {
    if (!this.#wanted || document.visibilityState !== "visible" || (this.#lock && !this.#lock.released)) return;
    try {
      this.#lock = await navigator.wakeLock?.request("screen");
    } catch {
      this.#lock = null; // power saving; the next look at the page asks again
    }
  }
}

/** Call `tell(percent, isLow)` at each change of the battery, where the browser says it. */
export async function watchBattery(tell) {
  const battery = await navigator.getBattery?.().catch(() => null);
  if (!battery) return;
  const look = () => {
    const percent = Math.round(battery.level * 100);
    tell(percent, percent <= LOW_PERCENT && !battery.charging);
  };
  battery.addEventListener("levelchange", look);
  battery.addEventListener("chargingchange", look);
  look();
}

/** Keep the page's own files for a start without a network. */
export function keepShell() {
  navigator.serviceWorker?.register("/field/worker.js", { scope: "/field" }).catch(() => {
    // Without it the page works all the same, as long as there is a network at its start.
  });
}

/** Call `changed()` when this phone has got a network, or another one; until `signal` aborts. */
export function onNetworkChange(changed, signal) {
  addEventListener("online", changed, { signal });
  const { connection } = navigator;
  let type = connection?.type;
  // The event tells of every new estimate of the speed as well.
  const look = () => {
    if (connection.type === type) return;
    type = connection.type;
    if (type !== "none") changed();
  };
  connection?.addEventListener?.("change", look, { signal });
}
