// What a viewing session measures of itself, in words that an operator can tell a technician on the telephone.

import { h, write } from "./dom.js";
import { troubleOf } from "./tile_trouble.js";
import { say } from "./words.js";

const NONE = { decoded: 0, bytes: 0, received: 0, lost: 0, buffered: 0, emitted: 0, at: 0 };

/** Reads one session's figures, each time over the span since the last reading. */
export class TileFigures {
  #before = NONE;
  #peer = null;

  /** The lines for now, with what the node gives and what the tile says; none while nothing is received. */
  async read(peer, given, verdict) {
    if (peer !== this.#peer) [this.#peer, this.#before] = [peer, NONE];
    if (!peer) return [];
    const seen = await measure(peer);
    if (!seen || peer !== this.#peer) return [];
    const before = this.#before;
    this.#before = seen;
    if (!before.at || seen.at <= before.at) return [];
    return lines(seen, between(seen, before), given, verdict);
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

function between(seen, before) {
  const seconds = (seen.at - before.at) / 1000;
  const lost = Math.max(0, seen.lost - before.lost);
  const expected = lost + seen.received - before.received;
  const emitted = seen.emitted - before.emitted;
  return {
    fps: Math.round((seen.decoded - before.decoded) / seconds),
    mbps: (seen.bytes - before.bytes) / seconds / 125_000,
    lossPercent: expected > 0 ? (100 * lost) / expected : null,
    bufferMs: emitted > 0 ? Math.round((1000 * (seen.buffered - before.buffered)) / emitted) : null,
    rttMs: seen.rttMs === null ? null : Math.round(seen.rttMs),
  };
}

const orDash = (value, write = String) => (value === null ? "–" : write(value));

/** What comes, how late it is, what was asked for, and what is wrong: [{words, kind}], kind "", "well" or "trouble". */
function lines(seen, figures, given, verdict) {
  const { fps, mbps, lossPercent, bufferMs, rttMs } = figures;
  const trouble = troubleOf({ verdict, given, ...figures });
  const size = seen.width ? `${seen.width}×${seen.height}` : "";
  const loss = say("tile.figures.loss", { percent: orDash(lossPercent, (value) => value.toFixed(1)) });
  const delay = bufferMs === null || rttMs === null ? null : bufferMs + rttMs;
  return [
    { kind: "", words: joined(size, say("tile.figures.rate", { fps, mbps: mbps.toFixed(2) }), loss) },
    { kind: "", words: say("tile.figures.delay", { ms: orDash(delay), buffer: orDash(bufferMs), trip: orDash(rttMs) }) },
    ...(given ? [{ kind: "", words: joined(layerWords(given), estimateWords(given)) }] : []),
    { kind: trouble ? "trouble" : "well", words: troubleWords(trouble, verdict) },
  ];
}

/** In the tile's own words where it stands still: the panel lies where they are. */
function troubleWords(trouble, verdict) {
  if (!trouble) return say("tile.trouble.none");
  const isTold = verdict.phase !== "live" && verdict.cause;
  return isTold ? say("tile.why", { word: say(`tile.phase.${verdict.phase}`), why: say(trouble) }) : say(trouble);
}

function layerWords({ layer, wanted }) {
  const name = (each) => say(`tile.layer.${each ?? "none"}`);
  if (layer === wanted) return say("tile.figures.layer.same", { layer: name(layer) });
  return say("tile.figures.layer", { given: name(layer), asked: name(wanted) });
}

function estimateWords({ estimate_kbps: kbps }) {
  return kbps === null ? "" : say("tile.figures.estimate", { mbps: (kbps / 1000).toFixed(2) });
}

/** A line may break after a dot, never before it. */
function joined(...parts) {
  return parts.filter(Boolean).join("\u00a0· ");
}

/** Write the lines into the panel; it is hidden where there are none. */
export function showFigures(panel, told) {
  panel.hidden = !told.length;
  while (panel.children.length > told.length) panel.lastChild.remove();
  told.forEach(({ words, kind }, index) => {
    const line = panel.children[index] ?? panel.appendChild(h("p"));
    line.className = kind && `is-${kind}`;
    write(line, words);
  });
}
