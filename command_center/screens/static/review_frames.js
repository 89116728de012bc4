// Stepping by single frames: how long a frame stands is learnt from the pictures that pass.

const KEPT = 60;
const USUAL_SECONDS = 1 / 30;
const PATIENCE_MS = 1_500;

const known = new WeakMap(); // media element → {times, count}: of the last frames that it showed, and of how many

/** Note each frame that a media element shows. */
export function watchFrames(media) {
  const seen = { times: [], count: 0 };
  known.set(media, seen);
  const note = (_now, { mediaTime }) => {
    seen.count += 1;
    seen.times.push(mediaTime);
    if (seen.times.length > KEPT) seen.times.shift();
    media.requestVideoFrameCallback(note);
  };
  media.requestVideoFrameCallback(note);
}

/** How long a frame of this camera usually stands, in seconds. */
export function frameSeconds(media) {
  const { times } = known.get(media) ?? { times: [] };
  const steps = times.slice(1).map((time, place) => time - times[place]).filter((step) => step > 0.004 && step < 0.5).sort((a, b) => a - b);
  return steps.length >= 3 ? steps[steps.length >> 1] : USUAL_SECONDS;
}

/** Show the next frame (1) or the one before (-1) of the camera that leads; the clock takes all others along. */
export async function stepFrame(clock, follower, step) {
  clock.pause();
  if (!follower) return clock.seek(clock.now + step * USUAL_SECONDS * 1000);
  const { media, source } = follower;
  const seen = known.get(media) ?? { times: [], count: 0 };
  const shown = seen.times.at(-1) ?? source.seconds(clock.now);
  const length = frameSeconds(media);
  // To the middle of the frame; where none came, pictures are farther apart there.
  for (const far of [1, 2, 4, 8]) {
    const { count } = seen;
    clock.seek(source.moment(shown + (step > 0 ? (far + 0.5) * length : 0.5 * length - far * length)));
    const began = performance.now();
    while (performance.now() - began < PATIENCE_MS && (media.seeking || seen.count === count)) await nextFrame();
    if ((seen.times.at(-1) ?? shown) !== shown) return undefined;
  }
  return undefined;
}

const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));
