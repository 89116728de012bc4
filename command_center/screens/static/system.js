// Which parts run, asked again and again for as long as the page is seen.

import { h, stateMark } from "./dom.js";
import { ask } from "./net.js";
import { partName, say } from "./words.js";

const AGAIN_MS = 3_000;

export function mount(body) {
  const rows = h("tbody");
  body.replaceChildren(h("table", {}, rows));
  const look = async () => {
    let parts;
    try {
      ({ parts } = await ask("GET", "/healthz"));
    } catch {
      parts = { web: "away" };
    }
    rows.replaceChildren(...Object.entries({ web: "running", ...parts }).map(([name, state]) => h("tr", {},
      h("td", {}, partName(name)),
      h("td", {}, state === "running"
        ? stateMark("normal", say("system.running"))
        : stateMark("critical", say(state === "silent" ? "system.silent" : "system.away"))))));
  };
  look();
  const repeated = setInterval(() => {
    if (!body.isConnected) clearInterval(repeated);
    else if (!document.hidden) look();
  }, AGAIN_MS);
}
