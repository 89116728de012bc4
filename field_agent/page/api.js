// The command center over HTTP: JSON, the session's cookie, the CSRF token, and errors with a stable code.

const TIMEOUT_MS = 8000;
const CSRF_COOKIE = "_csrf_token";

/** The centre answered no; `code` says why. */
export class Refused extends Error {
  constructor(status, code) {
    super(`${status} ${code}`);
    this.status = status;
    this.code = code;
  }
}

/** No answer in time: what was asked may have happened. */
export class Unreachable extends Error {}

let csrfToken = "";

function csrf() {
  const cookie = document.cookie.split("; ").find((one) => one.startsWith(`${CSRF_COOKIE}=`));
  return csrfToken || (cookie ? decodeURIComponent(cookie.slice(CSRF_COOKIE.length + 1)) : "");
}

/** Ask, and give the raw answer; throws `Unreachable`, and `Refused` for every answer that isn't a success. */
export async function ask(method, path, { body, type, headers = {}, timeout = TIMEOUT_MS, keepalive = false } = {}) {
  const sent = { Accept: "application/json, */*", ...headers };
  if (type) sent["Content-Type"] = type;
  if (method !== "GET" && !sent.Authorization) sent["X-CSRFToken"] = csrf();
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), timeout);
  let answer;
  try {
    answer = await fetch(path, { method, headers: sent, body, keepalive, signal: stop.signal, cache: "no-store" });
  } catch (error) {
    throw new Unreachable(`${method} ${path}: ${error.name}`);
  } finally {
    clearTimeout(timer);
  }
  if (answer.ok) return answer;
  let code = "";
  try {
    code = (await answer.json()).code ?? "";
  } catch {
    // A proxy's own error page has no code; its status is enough.
  }
  throw new Refused(answer.status, code);
}

async function json(method, path, content) {
  const body = content === undefined ? {} : { body: JSON.stringify(content), type: "application/json" };
  const answer = await ask(method, path, body);
  return answer.status === 204 ? null : answer.json();
}

/** Sign in; gives the person. */
export async function signIn(username, password, code) {
  const session = await json("POST", "/api/session", { username, password, ...(code ? { code } : {}) });
  csrfToken = session.csrf_token;
  return session.user;
}

/** Whether asking who is signed in makes sense: the session's readable half is here. */
export const mayBeSignedIn = () => document.cookie.split("; ").some((one) => one.startsWith(`${CSRF_COOKIE}=`));

/** The person who is signed in, or null. */
export async function whoAmI() {
  try {
    const session = await json("GET", "/api/session");
    csrfToken = session.csrf_token;
    return session.user;
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return null;
    throw error;
  }
}

/** Tell the centre which language this person reads. */
export const setLanguage = (language) => json("PATCH", "/api/session", { language });

/** End the session. */
export async function signOut() {
  await json("DELETE", "/api/session");
  csrfToken = "";
}

/** This officer's operations with their sites. */
export const operations = async () => (await json("GET", "/api/operations")).items;

/** The name of this device's feed at a site; asked again, the same. */
export async function registerFeed(operationId, siteId, device) {
  const wanted = { operation_id: operationId, site_id: siteId, device, source: "camera" };
  return (await json("POST", "/api/feeds", wanted)).feed;
}

/** The cases of this officer's operations, their assets, and what was proposed. */
export const myAssets = () => json("GET", "/api/assets/mine");

/** Query a person under enforcement, everywhere; `key` makes a repeated asking one. */
export const queryPerson = (caseId, personId, key) =>
  json("POST", "/api/assets/mine/queries", { case_id: caseId, person_id: personId, idempotency_key: key });

/** Take an own proposal back. */
export const withdrawProposal = (id) => json("POST", `/api/assets/mine/proposals/${id}/withdraw`, {});

/** A token to publish a feed, with the address to publish it at. */
export const publishToken = (feed) => json("POST", "/api/media-tokens", { feed, right: "publish" });

/** A token to hear the centre on the phone that publishes this feed, with the address to ask at. */
export const listenToken = (feed) => json("POST", "/api/media-tokens", { feed, right: "listen" });

/** Whether the centre can be reached now. */
export async function canReach() {
  try {
    await ask("GET", "/healthz", { timeout: 4000 });
    return true;
  } catch (error) {
    return error instanceof Refused;
  }
}
