// Which parts run, asked again and again for as long as the page is seen; and the key that a court publishes.

import { h, stateMark } from "./dom.js";
import { ask } from "./net.js";
import { partName, partState, say } from "./words.js";

const AGAIN_MS = 3_000;

export function mount(body) {
  const rows = h("tbody");
  const key = h("p.first-key");
  body.replaceChildren(h("table", {}, rows), key);
  tellKey(key);
  const look = async () => {
    let parts, hours;
    try {
      ({ parts, recording_hours: hours } = await ask("GET", "/healthz"));
    } catch {
      parts = { web: "away" };
    }
    rows.replaceChildren(...Object.entries({ web: "running", ...parts }).map(([name, state]) => h("tr", {},
      h("td", {}, partName(name)),
      h("td", {}, markOf(name, state, hours)))));
  };
  look();
  const repeated = setInterval(() => {
    if (!body.isConnected) clearInterval(repeated);
    else if (!document.hidden) look();
  }, AGAIN_MS);
}

async function tellKey(place) {
  try {
    const [first] = (await ask("GET", "/api/keys")).keys;
    if (first) place.replaceChildren(say("system.first-key"), h("code", {}, first.fingerprint));
  } catch {
    // The parts above tell that the records or the web process are away.
  }
}

function markOf(name, state, hours) {
  if (name === "space") return stateMark({ running: "normal", low: "caution" }[state] ?? "critical", partState({ state, hours }));
  if (name === "proof" && state === "faulty") return stateMark("critical", say("proof.faulty"));
  if (state === "faulty") return stateMark("critical", partState({ state }));
  if (state === "running") return stateMark("normal", say("system.running"));
  return stateMark("critical", say({ silent: "system.silent", behind: "system.behind" }[state] ?? "system.away"));
}
