// Beside the assets' title: since when they haven't been refreshed, where a refresh was due and hasn't come.

import { setMark, stateMark } from "./dom.js";
import { live } from "./live.js";
import { clock, now } from "./time.js";
import { say } from "./words.js";

const LOOK_MS = 500;
const PATIENCE_MS = 5_000;
const RETRY_MS = 15_000;

export function mount(element) {
  const mark = stateMark("caution", "");
  let dueSince = null; // by the server's clock, like what the panel says of itself
  let triedAt = 0;
  element.append(mark);
  live.on("assets", () => {
    dueSince ??= now();
    triedAt = now();
  });
  setInterval(() => {
    const shownAt = Number(document.getElementById("assets-refreshed")?.dataset.at ?? 0);
    if (dueSince !== null && shownAt >= dueSince) dueSince = null;
    element.hidden = dueSince === null || now() - dueSince < PATIENCE_MS;
    if (element.hidden) return;
    setMark(mark, "caution", shownAt ? say("asset.old", { time: clock(shownAt) }) : say("asset.unread"));
    if (now() - triedAt > RETRY_MS) live.raise("assets");
  }, LOOK_MS);
}
