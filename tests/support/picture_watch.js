// What a wall's tiles really show, frame by frame; a test loads it into the centre's page.

const KEPT = 6000;
const SETTLED_MS = 1500;

/** Note every frame that a tile presents, from now on, and every change of its words. */
export function watchTile(tile) {
  const video = tile.querySelector("video");
  const seen = { frames: [], states: [], from: performance.now() };
  const note = (now, { mediaTime, width, height, rtpTimestamp }) => {
    video.requestVideoFrameCallback(note);
    if (!video.srcObject) return;
    seen.frames.push({ at: performance.now(), mediaTime, width, height, rtpTimestamp, stream: video.srcObject.id });
    if (seen.frames.length > KEPT) seen.frames.shift();
  };
  video.requestVideoFrameCallback(note);
  const state = () => {
    const { phase, cause } = tile.dataset;
    const last = seen.states[seen.states.length - 1];
    if (last?.phase !== phase || last?.cause !== cause) seen.states.push({ at: Date.now(), phase, cause });
  };
  new MutationObserver(state).observe(tile, { attributes: true, attributeFilter: ["data-phase", "data-cause"] });
  state();
  return seen;
}

export function watchAll() {
  window.watched ??= new Map();
  for (const tile of document.querySelectorAll(".tile")) {
    if (!window.watched.has(tile.dataset.feed)) window.watched.set(tile.dataset.feed, watchTile(tile));
  }
  return window.watched.size;
}

/** How long the picture of each tile stood still at the longest since `from`; up to now, if it stands still. */
export function longestGaps(from) {
  const gaps = {};
  for (const [feed, { frames }] of window.watched) gaps[feed] = gapOf(frames, from, performance.now());
  return gaps;
}

/** When the first frame after `since` was presented; both in milliseconds of the machine's clock. */
export function firstFrame(feed, since) {
  const found = window.watched.get(feed).frames.find(({ at }) => performance.timeOrigin + at > since);
  return found ? performance.timeOrigin + found.at : null;
}

function gapOf(frames, from, to) {
  let last = from;
  let longest = 0;
  for (const { at } of frames) {
    if (at < from || at > to) continue;
    longest = Math.max(longest, at - last);
    last = at;
  }
  return Math.max(longest, to - last);
}

/** Click a tile, and tell how long it took until its picture is so wide, and whether it broke meanwhile. */
export async function enlarge(feed, width, patienceMs) {
  const tile = document.querySelector(`.tile[data-feed='${feed}']`);
  const { frames } = window.watched.get(feed);
  const clicked = performance.now();
  const before = frames.length ? frames[frames.length - 1] : null;
  tile.click();
  const reached = await new Promise((resolve) => {
    const look = () => {
      const wide = frames.find((frame) => frame.at > clicked && frame.width === width);
      if (wide) resolve(wide.at - clicked);
      else if (performance.now() - clicked > patienceMs) resolve(null);
      else setTimeout(look, 5);
    };
    look();
  });
  await new Promise((resolve) => setTimeout(resolve, SETTLED_MS)); // what broke would be seen by then
  const during = [before, ...frames.filter((frame) => frame.at > clicked)].filter(Boolean);
  let gap = 0;
  let backwards = 0;
  let streams = 0;
  for (let index = 1; index < during.length; index += 1) {
    gap = Math.max(gap, during[index].at - during[index - 1].at);
    if (during[index].stream !== during[index - 1].stream) streams += 1;
    else if (during[index].mediaTime < during[index - 1].mediaTime) backwards += 1;
  }
  return { reached, gap, backwards, streams };
}

/** How long it takes until a loop's turn comes: what the page itself adds to every figure. */
export async function ownDelay(rounds) {
  const delays = [];
  for (let round = 0; round < rounds; round += 1) {
    const from = performance.now();
    await new Promise((resolve) => requestAnimationFrame(resolve));
    delays.push(performance.now() - from);
  }
  return delays;
}
