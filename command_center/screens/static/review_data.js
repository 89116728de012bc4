// What the review reads of an operation: its recordings and its lanes of time.

import { askInReview } from "./review_session.js";
import { Lane } from "./review_lane.js";

const PAGES = 20;
const READ_MS = 20_000;

/** The recordings of an operation by feed, each list by time: Map(feed → [{id, since, until, state, lines}]). */
export async function readRecordings(operationId) {
  const byFeed = new Map();
  let cursor = null;
  for (let page = 0; page < PAGES; page += 1) {
    const query = new URLSearchParams({ operation_id: operationId, ...(cursor ? { cursor } : {}) });
    const answer = await askInReview("GET", `/api/recordings?${query}`, undefined, { timeoutMs: READ_MS });
    for (const recording of answer.items) {
      const feed = laneName(recording);
      if (!byFeed.has(feed)) byFeed.set(feed, []);
      byFeed.get(feed).push(placed(recording));
    }
    cursor = answer.next;
    if (!cursor) break;
  }
  for (const list of byFeed.values()) list.sort((one, other) => one.since - other.since);
  return byFeed;
}

/** What a lane is called here: a camera by its feed, a voice by who spoke. */
const laneName = (told) => (told.kind === "voice" ? `voice ${told.officer_id}` : told.feed);

function placed(recording) {
  const since = Date.parse(recording.started_at);
  const grows = recording.state === "recording" || recording.state === "cut_off";
  const until = grows ? null : Math.max(Date.parse(recording.ended_at) || 0, since + recording.seconds * 1000);
  const gone = ["missing", "deleted"].includes(recording.state) ? recording.state : null;
  return { id: recording.id, since, until, state: recording.state, lines: recording.lines, gone, deletion: recording.deletion };
}

/** The lanes of an operation, cameras by site and then voices; those that were known before are the same objects. */
export async function readLanes(operationId, known) {
  const answer = await askInReview("GET", `/api/operations/${operationId}/timeline`, undefined, { timeoutMs: READ_MS });
  const before = new Map(known.map((lane) => [lane.feed, lane]));
  const lanes = answer.lanes.filter((told) => told.spans.length > 0).map((told) => {
    const feed = laneName(told);
    const lane = before.get(feed) ?? new Lane(feed);
    lane.update(told);
    return lane;
  });
  return lanes.sort((one, other) => one.ordinal - other.ordinal || one.feed.localeCompare(other.feed));
}

export function isGrowing(recordings) {
  return [...recordings.values()].some((list) => list.some((one) => one.state === "recording"));
}
