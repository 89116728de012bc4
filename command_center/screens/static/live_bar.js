// The thin bar below each tile's picture: what of the last half hour is recorded, and what is missing and why.

import { h } from "./dom.js";
import { live } from "./live.js";
import { ask } from "./net.js";
import { now, span } from "./time.js";
import { say } from "./words.js";

const WINDOW_MS = 30 * 60_000;
const REFRESH_MS = 10_000;
const NEWS_MS = 3_000; // what a node tells of its recordings comes in bursts
const SHORT_MS = 1_000; // a shorter gap can't be seen at this scale; the words count it
const KINDS = ["covered", "network", "camera", "officer", "node", "disk_slow", "disk_full", "disk_failed"];

export class LiveBar {
  constructor() {
    this.element = h("div.tile-bar", { role: "img" });
    this.shown = "";
    this.show(null, 0, 1);
  }

  /** `lane` is the feed's part of the time line between these instants; null where nothing was recorded. */
  show(lane, since, until) {
    const words = lane ? sums(lane) : say("timeline.bar.none");
    if (this.element.title !== words) {
      this.element.title = words;
      this.element.setAttribute("aria-label", words);
    }
    const pieces = lane ? drawn(lane.spans) : [];
    const percent = (ms) => `${((100 * ms) / (until - since)).toFixed(2)}%`;
    const places = pieces.map((one) => [one.kind, percent(one.since - since), percent(one.until - one.since)]);
    const shown = JSON.stringify(places);
    if (shown === this.shown) return;
    this.shown = shown;
    this.element.replaceChildren(
      ...places.map(([kind, left, width]) => {
        const piece = h(`i.bar-span.bar-${kind}`);
        piece.style.left = left;
        piece.style.width = width;
        return piece;
      }),
    );
  }
}

/** What is drawn: gaps too short to be seen are left out, and what they parted is one piece. */
export function drawn(spans) {
  const pieces = [];
  for (const { kind, since, until } of spans) {
    const last = pieces.at(-1);
    if (kind !== "covered" && until - since < SHORT_MS && last?.kind === "covered") last.until = until;
    else if (last?.kind === kind) last.until = until;
    else pieces.push({ kind, since, until });
  }
  return pieces;
}

function sums(lane) {
  const lengths = { covered: lane.covered_ms, ...lane.gaps_ms };
  const parts = KINDS.filter((kind) => lengths[kind] > 0).map((kind) =>
    say("timeline.bar.part", { kind: say(`timeline.kind.${kind}`), span: span(lengths[kind]) }),
  );
  return say("timeline.bar", { parts: parts.join(say("timeline.bar.and")) });
}

/** Keep the bars of these tiles up to date: soon after news of a recording, and every ten seconds. */
export function keepBars(tiles) {
  let readAt = -Infinity;
  let timer = null;
  const read = async () => {
    timer = null;
    readAt = performance.now();
    const operationId = live.operationId;
    try {
      if (operationId && !document.hidden && tiles.size) {
        const until = now();
        const since = until - WINDOW_MS;
        const line = await ask("GET", `/api/operations/${operationId}/timeline?since=${Math.round(since)}`);
        if (operationId === live.operationId) draw(tiles, line, since, until);
      }
    } catch {
      // The next reading shows it; what keeps us from the centre is told elsewhere.
    }
    readSoon(REFRESH_MS);
  };
  const readSoon = (pauseMs) => {
    clearTimeout(timer);
    timer = setTimeout(read, Math.max(0, readAt + pauseMs - performance.now()));
  };
  live.on("recordings", () => readSoon(NEWS_MS));
  live.on("snapshot", () => readSoon(0));
  document.addEventListener("visibilitychange", () => readSoon(NEWS_MS));
}

function draw(tiles, line, since, until) {
  const lanes = new Map(line.lanes.map((lane) => [lane.feed, lane]));
  for (const [feed, tile] of tiles) tile.bar.show(lanes.get(feed) ?? null, since, until);
}
