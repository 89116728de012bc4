// The first administrator: posts the form to the one-time link itself.

import { fillNews, rememberLanguage } from "./entry.js";
import { ask } from "./net.js";
import { say } from "./words.js";

rememberLanguage();
const form = document.getElementById("setup");

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { username, display_name: name, password, again } = form.elements;
  const missing = [username, name, password].find((field) => !field.value.trim());
  if (missing) {
    missing.focus();
    fillNews(say("sign-in.missing"));
    return;
  }
  if (password.value !== again.value) {
    again.focus();
    fillNews(say("setup.different"));
    return;
  }
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const made = await ask("POST", location.pathname, {
      username: username.value.trim(), display_name: name.value.trim(), password: password.value,
    });
    if (made.totp_uri) fillNews(`${say("setup.second-factor")} ${made.totp_uri}`, false); // told this once, so it stays
    else location.assign("/sign-in?reason=setup-done");
  } catch (problem) {
    button.disabled = false;
    fillNews(problem.words);
  }
});
if (form) form.querySelector("button").disabled = false;
