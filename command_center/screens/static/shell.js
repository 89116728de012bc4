// What the header does on every page: where we are, language, sign-out, the list of keys.

import { ask } from "./net.js";
import { showKeys } from "./keys.js";

export function mount(header) {
  for (const link of header.querySelectorAll("[data-page]")) {
    if (isHere(link.dataset.page)) link.setAttribute("aria-current", "page");
  }
  header.querySelector("#switch-language")?.addEventListener("click", switchLanguage);
  header.querySelector("#sign-out")?.addEventListener("click", signOut);
  header.querySelector("#show-keys")?.addEventListener("click", showKeys);
}

/** Whether the open page is this one, or stands below it. */
function isHere(path) {
  return location.pathname === path || (path !== "/" && location.pathname.startsWith(`${path}/`));
}

async function switchLanguage(event) {
  await ask("PATCH", "/api/session", { language: event.currentTarget.lang });
  location.reload();
}

async function signOut() {
  await ask("DELETE", "/api/session").catch(() => null); // signed out already, or nobody to tell
  location.assign("/sign-in");
}
