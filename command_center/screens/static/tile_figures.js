// What a viewing session measures of itself, in words that an operator can tell a technician on the telephone.

import { say } from "./words.js";

const NONE = { decoded: 0, bytes: 0, received: 0, lost: 0, buffered: 0, emitted: 0, at: 0 };

/** Reads one session's figures, each time over the span since the last reading. */
export class TileFigures {
  #before = NONE;
  #peer = null;

  /** The words for now, with what the node gives and why it isn't more; empty while nothing is received. */
  async read(peer, given = null, why = "") {
    if (peer !== this.#peer) [this.#peer, this.#before] = [peer, NONE];
    if (!peer) return "";
    const seen = await measure(peer);
    if (!seen || peer !== this.#peer) return "";
    const before = this.#before;
    this.#before = seen;
    if (!before.at || seen.at <= before.at) return "";
    return [...measured(seen, before), ...told(given), why].filter(Boolean).join("\u00a0· "); // a line may break after a dot, never before it
  }
}

async function measure(peer) {
  let seen = null;
  let rttMs = null;
  for (const one of (await peer.getStats()).values()) {
    if (one.type === "inbound-rtp" && one.kind === "video") {
      seen = {
        width: one.frameWidth ?? 0,
        height: one.frameHeight ?? 0,
        decoded: one.framesDecoded ?? 0,
        bytes: one.bytesReceived ?? 0,
        received: one.packetsReceived ?? 0,
        lost: one.packetsLost ?? 0,
        buffered: one.jitterBufferDelay ?? 0,
        emitted: one.jitterBufferEmittedCount ?? 0,
        at: one.timestamp,
      };
    }
    if (one.type === "candidate-pair" && one.nominated && one.currentRoundTripTime !== undefined) rttMs = one.currentRoundTripTime * 1000;
  }
  return seen && { ...seen, rttMs };
}

function measured(seen, before) {
  const seconds = (seen.at - before.at) / 1000;
  const lost = Math.max(0, seen.lost - before.lost);
  const expected = lost + seen.received - before.received;
  const emitted = seen.emitted - before.emitted;
  return [
    seen.width ? `${seen.width}×${seen.height}` : "",
    say("tile.figures.rate", {
      fps: Math.round((seen.decoded - before.decoded) / seconds),
      mbps: ((seen.bytes - before.bytes) / seconds / 125_000).toFixed(2),
    }),
    say("tile.figures.loss", { percent: expected > 0 ? ((100 * lost) / expected).toFixed(1) : "–" }),
    say("tile.figures.buffer", { ms: emitted > 0 ? Math.round((1000 * (seen.buffered - before.buffered)) / emitted) : "–" }),
    seen.rttMs === null ? "" : say("tile.figures.round-trip", { ms: Math.round(seen.rttMs) }),
  ];
}

/** Which size is given and which was asked for, and what the whole screen's line is thought to carry. */
function told(given) {
  if (!given) return [];
  const layer = given.layer ? say(`tile.layer.${given.layer}`) : say("tile.layer.none");
  const wanted = say(`tile.layer.${given.wanted}`);
  return [
    layer === wanted ? layer : say("tile.figures.layer", { layer, wanted }),
    given.estimate_kbps === null ? "" : say("tile.figures.line", { mbps: (given.estimate_kbps / 1000).toFixed(1) }),
  ];
}
