// A review: one person looks at one operation for a stated purpose. Every request for evidence names it, and where somebody
// jumps to is told, not too often.

import { ask } from "./net.js";

export const PURPOSES = ["supervision", "appeal", "complaint", "evidence", "training"];
const TELL_MS = 2_500;
const HEADER = "X-Review";

const current = { id: null, sought: null, timer: null };

/** The review that is open, or null where no purpose was given. */
export const reviewId = () => current.id;

/** The headers of every request for evidence. */
export const reviewHeaders = () => (current.id ? { [HEADER]: current.id } : {});

/** `ask` of net.js, within the review that is open. */
export const askInReview = (method, path, body = undefined, options = {}) =>
  ask(method, path, body, { ...options, headers: reviewHeaders() });

/** Go on with a review that was begun, or with none (null). */
export function useReview(id) {
  tellSeek();
  current.id = id;
}

/** Begin one; gives its id, or null where this installation keeps no purposes. */
export async function beginReview(operationId, purpose, note) {
  try {
    const { id } = await ask("POST", "/api/reviews", { operation_id: operationId, purpose, note });
    useReview(id);
    return id;
  } catch (problem) {
    if (problem.status !== 404 && problem.status !== 405) throw problem;
    useReview(null);
    return null;
  }
}

/** Note that somebody jumped to `at` (Unix ms) with these cameras on the screen; where they stay is told, not where they pass. */
export function noteSeek(at, feeds) {
  if (!current.id) return;
  current.sought = { at: Math.round(at), feeds };
  current.timer ??= setTimeout(tellSeek, TELL_MS);
}

async function tellSeek() {
  clearTimeout(current.timer);
  current.timer = null;
  const { id, sought } = current;
  current.sought = null;
  if (!id || !sought) return;
  await ask("POST", `/api/reviews/${id}/seeks`, sought).catch(() => null); // the requests themselves stand in the audit
}
