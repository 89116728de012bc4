// Signing in: asks /api/session and goes where the visitor wanted to.

import { fillNews, rememberLanguage, safeNext } from "./entry.js";
import { ask } from "./net.js";
import { knows, language, say } from "./words.js";

rememberLanguage();
const form = document.getElementById("sign-in");
const fields = form.elements;
const query = new URLSearchParams(location.search);
const reason = query.get("reason");
if (reason) fillNews(say(knows(`sign-in.reason.${reason}`) ? `sign-in.reason.${reason}` : "sign-in.reason.other"), false);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const missing = [fields.username, fields.password].find((field) => !field.value);
  if (missing) {
    missing.focus();
    fillNews(say("sign-in.missing"));
    return;
  }
  const button = form.querySelector("button");
  button.disabled = true;
  fillNews("");
  try {
    const body = { username: fields.username.value.trim(), password: fields.password.value };
    if (fields.code.value) body.code = fields.code.value.trim();
    const session = await ask("POST", "/api/session", body);
    // A language that was chosen on this page goes on; else the person's own is kept.
    if (query.get("language") && session.user.language !== language) await ask("PATCH", "/api/session", { language });
    location.assign(safeNext(query.get("next")));
  } catch (problem) {
    button.disabled = false;
    if (problem.code === "second-factor-required") {
      document.getElementById("code-row").hidden = false;
      fields.code.focus();
    } else fields.password.select();
    // What can't be a name or a password at all is as wrong as any other.
    fillNews(problem.code === "not-valid" ? say("error.wrong-credentials") : problem.words);
  }
});
form.querySelector("button").disabled = false;
