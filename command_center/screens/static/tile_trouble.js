// What is wrong with a picture that is seen, judged from the figures of its session; pure, for the operator's panel.

/** Why a tile is given a less sharp picture than it wants, in the node's words and in the catalogue's. */
const HELD = { bandwidth: "tile.trouble.bandwidth", publisher: "tile.trouble.layer", switching: "tile.trouble.switching" };
const LOSS_PERCENT = 2;
const FEW_FPS = 5;
const FAR_MS = 400;
const UNEVEN_MS = 400;

/**
 * `verdict` as of `judge`; `given` as the node told it, null where it didn't; figures that aren't known are null.
 * Answers the key of the words, under `tile.trouble.` or, where the tile itself says what is wrong, under `tile.cause.`;
 * null where all is well.
 */
export function troubleOf({ verdict, given, lossPercent, fps, bufferMs, rttMs }) {
  if (verdict.phase !== "live") return verdict.cause ? `tile.cause.${verdict.cause}` : `tile.phase.${verdict.phase}`;
  if (given?.held) return HELD[given.held];
  if (lossPercent >= LOSS_PERCENT) return "tile.trouble.loss";
  if (rttMs >= FAR_MS) return "tile.trouble.far";
  if (bufferMs >= UNEVEN_MS) return "tile.trouble.uneven";
  return fps < FEW_FPS ? "tile.trouble.few" : null;
}
