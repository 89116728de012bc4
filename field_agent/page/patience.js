// How long to wait before the next try: growing, with jitter, so that a hundred phones don't come back at once.

export class Patience {
  #wait;

  constructor(firstMs = 400, mostMs = 6000) {
    this.first = firstMs;
    this.most = mostMs;
    this.#wait = firstMs;
  }

  /** Milliseconds until the next try. */
  next() {
    const wait = this.#wait * (0.5 + Math.random() / 2);
    this.#wait = Math.min(this.#wait * 1.6, this.most);
    return wait;
  }

  /** The last try worked. */
  succeeded() {
    this.#wait = this.first;
  }
}

const wakers = new Set();

/** Wait, but not longer than until the network is back or the page is looked at again. */
export function waitOrWake(milliseconds) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      wakers.delete(done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    wakers.add(done);
  });
}

/** End all waits now. */
export function wake() {
  for (const done of [...wakers]) done();
}

addEventListener("online", wake);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") wake();
});
