// People's accounts: the list, the form for a new one, and the two ways to end one's sessions.

import { h, stateMark } from "./dom.js";
import { toSignIn } from "./live.js";
import { ask } from "./net.js";
import { inLanguage, say } from "./words.js";

const ROLES = [
  "commander", "judge", "approver", "officer", "supervisor",
  "system_administrator", "security_administrator", "audit_administrator",
];

export async function mount(body) {
  const news = h("p.administration-news", { role: "status" });
  const rows = h("tbody");
  const heads = ["username", "name", "role", "court", "sessions", "state"].map((name) => say(`accounts.${name}`));
  const table = h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", {}, head)), h("th"))), rows);
  const tell = (words) => { news.textContent = words; };

  async function perform(deed) {
    try {
      await deed();
    } catch (problem) {
      if (problem.status === 401) toSignIn("not-signed-in");
      else tell(problem.words ?? String(problem));
    }
  }

  async function refresh() {
    const { items } = await ask("GET", "/api/accounts");
    rows.replaceChildren(...items.map((account) => row(account, (deed) => perform(async () => {
      await ask("POST", `/api/accounts/${account.id}/${deed}`);
      tell(say(`accounts.told.${deed}`, { username: account.username }));
      await refresh();
    }))));
  }

  await perform(async () => {
    const courts = (await ask("GET", "/api/courts")).items;
    body.replaceChildren(form(courts, (account) => perform(async () => {
      const made = await ask("POST", "/api/accounts", account);
      tell(say("accounts.told.made", { username: account.username }) + (made.totp_uri ? ` ${made.totp_uri}` : ""));
      await refresh();
    })), news, table);
    await refresh();
  });
}

function row(account, perform) {
  const isDisabled = account.disabled_at !== null;
  const state = isDisabled ? stateMark("off", say("accounts.disabled")) : stateMark("normal", say("accounts.active"));
  const button = (deed, isOff) => h("button", {
    type: "button",
    disabled: isOff,
    onclick: () => { if (confirm(say(`accounts.confirm.${deed}`, { username: account.username }))) perform(deed); },
  }, say(`accounts.${deed}`));
  return h("tr", {},
    h("td", {}, account.username), h("td", {}, account.display_name), h("td", {}, say(`role.${account.role}`)),
    h("td", {}, account.court), h("td", {}, String(account.open_sessions)), h("td", {}, state),
    h("td.accounts-deeds", {}, button("end-sessions", account.open_sessions === 0), " ", button("disable", isDisabled)));
}

function form(courts, make) {
  const field = (name, attributes = {}) => h("label", {}, say(`accounts.${name}`), h("input", { name, ...attributes }));
  const select = (name, options) => h("label", {}, say(`accounts.${name}`), h("select", { name }, options));
  return h("form", {
    autocomplete: "off",
    onsubmit: (event) => {
      event.preventDefault();
      const given = Object.fromEntries(new FormData(event.target));
      make(given).then(() => event.target.reset());
    },
  },
    field("username", { required: true, maxlength: 64, pattern: "[a-z0-9][a-z0-9._\\-]+", autocapitalize: "none", spellcheck: "false" }),
    field("display_name", { maxlength: 100 }),
    field("badge_number", { maxlength: 32 }),
    field("password", { type: "password", required: true, minlength: 12, maxlength: 1024, autocomplete: "new-password" }),
    select("role", ROLES.map((role) => h("option", { value: role }, say(`role.${role}`)))),
    select("court", courts.map((court) => h("option", { value: court.code }, `${court.code} ${inLanguage(court, "name")}`))),
    h("button.primary", { type: "submit" }, say("accounts.make")));
}
