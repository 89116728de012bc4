// Another road to the node within the same session: an ICE restart by PATCH (RFC 9725 §4.3, RFC 8840).

import { ask, Refused } from "./api.js";

const TRIES = 3; // without a word from the node in between
const TIMEOUT_MS = 2000;
const GONE = [401, 403, 404, 410]; // the node doesn't know this session any more, or not us
const LATER = [429, 500, 502, 503, 504];

/** The fragment that tells the node of our new credentials. */
export function restartFragment(sdp) {
  const credentials = new Set(sdp.match(/^a=ice-(ufrag|pwd):.*$/gm));
  return [...credentials, sdp.match(/^m=.*$/m)[0], sdp.match(/^a=mid:.*$/m)[0], ""].join("\r\n");
}

/** The node's description as it was, with the credentials and the candidates of its fragment. */
export function restarted(sdp, fragment) {
  const found = new Map(Array.from(fragment.matchAll(/^a=ice-(ufrag|pwd):(\S+)/gm), ([, name, value]) => [name, value]));
  if (found.size < 2) throw new SyntaxError("a restart without credentials");
  const renewed = sdp.replace(/^a=ice-(ufrag|pwd):\S+/gm, (_, name) => `a=ice-${name}:${found.get(name)}`);
  const candidates = fragment.match(/^a=candidate:\S[^\r\n]*/gm);
  if (!candidates) return renewed;
  const without = renewed.replace(/^a=candidate:.*\r?\n/gm, "");
  return without.replace(/^a=ice-pwd:\S+/m, (line) => [line, ...candidates].join("\r\n"));
}

/** The road in use stays as good as it is until the new one works, and all the longer when there is none. */
export class IceRestart {
  #connection;
  #url;
  #token;
  #left = TRIES;
  #isBusy = false;
  #isStale = false;

  constructor(connection, url, token) {
    this.#connection = connection;
    this.#url = url;
    this.#token = token;
  }

  /** The node was heard: as many tries again. */
  renew() {
    if (this.#left >= 0) this.#left = TRIES;
  }

  /** The network has changed: what is being tried was tried on the former one. */
  moved() {
    this.renew();
    this.#isStale = this.#isBusy;
    return this.attempt();
  }

  /** Try once, if there is anything to try; false when the node says that the session is over. */
  async attempt() {
    if (this.#isBusy || this.#left <= 0 || !navigator.onLine) return true;
    this.#isBusy = true;
    this.#left -= 1;
    const isKnown = await this.#isKnownAfterTrying();
    this.#isBusy = false;
    if (!isKnown || !this.#isStale) return isKnown;
    this.#isStale = false;
    return this.attempt();
  }

  async #isKnownAfterTrying() {
    try {
      await this.#exchange();
    } catch (error) {
      if (!(error instanceof Refused) || LATER.includes(error.status)) return true; // the next try has new credentials
      if (GONE.includes(error.status)) return false;
      this.#left = -1; // this node doesn't do it
    }
    return true;
  }

  async #exchange() {
    const connection = this.#connection;
    const { sdp: made } = await connection.createOffer({ iceRestart: true });
    const isLayered = /^a=simulcast:/m.test(connection.remoteDescription.sdp);
    // Chromium offers layers again that were declined, and then doesn't take its own offer.
    const sdp = isLayered ? made : made.replace(/^a=(rid|simulcast):.*\r?\n/gm, "");
    await connection.setLocalDescription({ type: "offer", sdp });
    const answer = await ask("PATCH", this.#url, {
      body: restartFragment(connection.localDescription.sdp),
      type: "application/trickle-ice-sdpfrag",
      headers: { Authorization: `Bearer ${this.#token}`, "If-Match": "*" },
      timeout: TIMEOUT_MS,
    });
    if (answer.status !== 200) return;
    const renewed = restarted(connection.remoteDescription.sdp, await answer.text());
    await connection.setRemoteDescription({ type: "answer", sdp: renewed });
  }
}
