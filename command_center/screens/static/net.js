// Requests to our own API: JSON in, JSON out, problem details as errors.

import { say, knows } from "./words.js";

export class Problem extends Error {
  constructor(status, body, retryAfterSeconds = null) {
    super(body?.code ?? `http-${status}`);
    this.status = status;
    this.code = body?.code ?? "unreachable";
    this.parameters = body ?? {};
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** What to tell the person. */
  get words() {
    const key = `error.${this.code}`;
    // What is wrong with a number or an amount, with an example of a right one.
    const bad = `bad.${this.parameters.item}.${this.parameters.why}`;
    if (this.code === "bad-format" && knows(bad)) return say(bad, this.parameters);
    return knows(key) ? say(key, this.parameters) : say("error.other", { code: this.code });
  }
}

/** The token that proves to the server that this page asks; the server sets it as a readable cookie. */
export function csrfToken() {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith("_csrf_token="));
  return found ? decodeURIComponent(found.slice("_csrf_token=".length)) : "";
}

export function retryAfter(response) {
  const seconds = Number(response.headers.get("retry-after"));
  return Number.isFinite(seconds) && seconds > 0 ? seconds : null;
}

const NOTHING_TO_SAY = 204;

/** Ask the API; answers the parsed body, or throws a Problem. */
export async function ask(method, path, body = undefined, { timeoutMs = 10_000, headers: further = {}, ...options } = {}) {
  const headers = { Accept: "application/json", ...further };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
      ...options,
    });
  } catch {
    throw new Problem(0, null);
  }
  const isJson = response.status !== NOTHING_TO_SAY && (response.headers.get("content-type") ?? "").includes("json");
  const parsed = isJson ? await response.json().catch(() => undefined) : null;
  if (!response.ok) throw new Problem(response.status, parsed ?? null, retryAfter(response));
  // An answer that breaks off on its way is none: nobody may take it for an empty one.
  if (parsed === undefined) throw new Problem(0, null);
  return parsed;
}
