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
  // Changes are numbered and the panel says up to which it was read: clocks of two machines can't be compared that well.
  let due = null; // the first change that isn't shown yet: {version, since}
  let triedAt = 0;
  element.append(mark);
  live.on("assets", () => {
    due ??= { version: live.assetsVersion, since: now() };
    triedAt = now();
  });
  setInterval(() => {
    const shown = document.getElementById("assets-refreshed")?.dataset;
    const shownAt = Number(shown?.at ?? 0);
    const version = Number(shown?.version ?? 0);
    if (due !== null && version >= due.version)
      due = version < live.assetsVersion ? { version: version + 1, since: now() } : null;
    element.hidden = due === null || now() - due.since < PATIENCE_MS;
    if (element.hidden) return;
    setMark(mark, "caution", shownAt ? say("asset.old", { time: clock(shownAt) }) : say("asset.unread"));
    if (now() - triedAt > RETRY_MS) live.raiseAssets();
  }, LOOK_MS);
}
