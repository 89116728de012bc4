// What a tile says: judged from what the node told of the feed and from what this page itself sees.

// A picture is marked stale before two seconds are over, and lost before five. The node tells of a silent feed a little
// sooner than this, so that its word is here before this page has to guess.
export const FRESH_MS = 1_500;
export const LOST_MS = 4_500;
const DOUBTFUL_MS = 600; // the node says that frames stopped, or that it holds them back: believe it sooner

/**
 * `view` is the feed as the centre tells it, `ageMs` the age of the last frame seen here (null: none yet),
 * `waitedMs` how long this page has waited for a first frame, `paused` why the node sends this page no picture (null:
 * it does), `link` the state of the page's socket,
 * `media` the media node as a part: {state, since}, undefined where nothing is known of it.
 *
 * Answers {state, phase, cause}: one of the six states, and the keys of the words.
 */
export function judge({ view, ageMs, waitedMs, paused = null, link, media, nowMs }) {
  if (view.phase === "ended") return { state: "off", phase: "ended", cause: view.cause };
  if (view.phase === "waiting" && ageMs === null) return { state: "off", phase: "waiting", cause: null };
  const isCertain = !paused && (view.phase === "live" || view.phase === "connecting");
  const limit = isCertain ? FRESH_MS : DOUBTFUL_MS;
  // A camera that was taken or stopped sends black frames, as fresh as any: only the node's word says that it is back.
  const isCameraOff = view.cause === "camera" || view.cause === "officer";
  if (ageMs !== null && ageMs < limit && !isCameraOff) return { state: "normal", phase: "live", cause: null };
  const told = view.cause ?? ownCause(view, link, media, nowMs - (ageMs ?? 0), paused);
  // The node is back, and the device not yet: that is what is waited for now.
  const cause = told === "node" && media?.state === "running" ? "node-back" : told;
  // The site sends, and this screen's line has no room for it: nothing is wrong there.
  if (cause && cause === paused) return { state: "caution", phase: "paused", cause };
  if (view.phase === "lost") return { state: "serious", phase: "lost", cause };
  if (view.phase === "waiting") {
    // It was here, and the centre knows nothing of it any more.
    return { state: "serious", phase: "lost", cause: told === "node" ? cause : null };
  }
  const silentMs = ageMs ?? waitedMs;
  if (silentMs >= LOST_MS) return { state: "serious", phase: "lost", cause };
  if (ageMs === null && view.phase !== "stale") return { state: "standby", phase: "connecting", cause: null };
  return { state: "caution", phase: "stale", cause };
}

function ownCause(view, link, media, lastFrameAt, paused) {
  // A node that started after the last frame is another one: the picture went with the one before.
  if (media && (media.state !== "running" || media.since > lastFrameAt)) return "node";
  if (paused && view.phase === "live") return paused;
  if (link === "broken" || link === "silent") return "screen";
  return view.phase === "live" ? "screen" : "network";
}
