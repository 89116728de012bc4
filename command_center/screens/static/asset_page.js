// The judge's asset page: the cases, and of the chosen one its assets.

import { h } from "./dom.js";
import { toSignIn } from "./live.js";
import { ask } from "./net.js";
import { say } from "./words.js";

export async function mount(body) {
  try {
    const { items } = await ask("GET", "/api/assets/cases");
    body.replaceChildren(h("ul", {}, items.map((one) => h("li", {}, one.number))));
  } catch (problem) {
    if (problem.status === 401) toSignIn("not-signed-in");
    else body.replaceChildren(h("p", { role: "alert" }, problem.words ?? say("error.internal")));
  }
}
