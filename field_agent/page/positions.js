// Where the phone is: every fix the receiver gives, with an id of the phone's own.

const LEAST_MS = 250; // some receivers give ten fixes a second: the last of each quarter is enough
const NUDGE_MS = 5000; // a phone that lies still gives no new fix by itself
const AWAY_MS = 20_000; // a receiver that is late now and then isn't away
const OPTIONS = { enableHighAccuracy: true, maximumAge: 0, timeout: 15_000 };

/** Events: "fix" (detail: a position message), "change" (state or accuracy). */
export class Positions extends EventTarget {
  state = "away"; // good, away, refused
  accuracy = 0;
  #watch = null;
  #nudge = 0;
  #held = 0;
  #last = -AWAY_MS;

  /** Ask for the permission with one fix; says whether it was given. */
  async ask() {
    try {
      const fix = await new Promise((resolve, reject) => {
        navigator.geolocation.getCurrentPosition(resolve, reject, { ...OPTIONS, timeout: 10_000 });
      });
      this.#turn("good", fix.coords.accuracy);
      return true;
    } catch (error) {
      this.#turn(error?.code === 1 || !navigator.geolocation ? "refused" : "away", 0);
      return this.state !== "refused";
    }
  }

  /** Follow from now on. */
  start() {
    if (this.#watch !== null || !navigator.geolocation) return;
    const failed = (error) => {
      if (error.code === 1) this.#turn("refused", 0);
      else if (performance.now() - this.#last > AWAY_MS) this.#turn("away", 0);
    };
    const came = (fix) => this.#came(fix);
    this.#watch = navigator.geolocation.watchPosition(came, failed, OPTIONS);
    this.#nudge = setInterval(() => {
      const isQuiet = performance.now() - this.#last > NUDGE_MS / 2;
      if (isQuiet && document.visibilityState === "visible") {
        navigator.geolocation.getCurrentPosition(came, failed, OPTIONS);
      }
    }, NUDGE_MS);
  }

  /** Follow no more. */
  stop() {
    if (this.#watch !== null) navigator.geolocation.clearWatch(this.#watch);
    clearInterval(this.#nudge);
    clearTimeout(this.#held);
    this.#watch = null;
  }

  #came(fix) {
    this.#turn("good", fix.coords.accuracy);
    clearTimeout(this.#held);
    const wait = this.#last + LEAST_MS - performance.now();
    if (wait > 0) this.#held = setTimeout(() => this.#tell(fix), wait);
    else this.#tell(fix);
  }

  #tell({ coords, timestamp }) {
    this.#last = performance.now();
    const limited = (value, most) => (Number.isFinite(value) && value >= 0 ? Math.min(value, most) : null);
    const detail = {
      type: "position",
      id: crypto.randomUUID(),
      taken_at: Math.round(timestamp),
      latitude: coords.latitude,
      longitude: coords.longitude,
      accuracy_m: limited(coords.accuracy, 1e6) ?? 1e6,
      heading_deg: limited(coords.heading, 360),
      speed_mps: limited(coords.speed, 1000),
    };
    this.dispatchEvent(new CustomEvent("fix", { detail }));
  }

  #turn(state, accuracy) {
    if (this.state === state && Math.round(this.accuracy) === Math.round(accuracy)) return;
    this.state = state;
    this.accuracy = accuracy;
    this.dispatchEvent(new Event("change"));
  }
}
