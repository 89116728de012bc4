// The review page: list, player and map of one operation's recordings, joined.

import { write } from "./dom.js";
import { toSignIn } from "./live.js";
import { ask } from "./net.js";
import { onOperation } from "./operation.js";
import { RecordingList } from "./review_list.js";
import { ReviewMap } from "./review_map.js";
import { Controls } from "./review_controls.js";
import { say } from "./words.js";

const REFRESH_MS = 4_000;
const PAGES = 10;

export function mount(main) {
  new Review(main);
}

class Review {
  constructor(main) {
    this.operation = null;
    this.recordings = [];
    this.body = main.querySelector("#recordings");
    this.notes = main.querySelector("#recordings-notes");
    this.list = new RecordingList(this.body, (recording) => this.choose(recording));
    this.map = new ReviewMap(main.querySelector("#review-map iframe"), main.querySelector("#review-map-notes"));
    this.controls = new Controls(main.querySelector("#player"), main.querySelector("#player-notes"), {
      moved: (atMs) => this.map.show(atMs),
      next: (step) => this.list.step(step),
    });
    onOperation((operation) => this.open(operation));
    this.refreshing = setInterval(() => {
      if (!main.isConnected) clearInterval(this.refreshing);
      else if (!document.hidden && this.operation) this.refresh();
    }, REFRESH_MS);
  }

  async open(operation) {
    if (operation?.id === this.operation?.id && this.operation) return;
    this.operation = operation;
    this.recordings = [];
    this.controls.close();
    this.map.clear(operation?.sites ?? []);
    this.list.say(operation ? say("review.loading") : say("review.no-operation"));
    write(this.notes, "");
    if (!operation) return;
    await this.refresh();
    const wanted = new URLSearchParams(location.search).get("recording");
    const found = this.recordings.find((recording) => recording.id === wanted);
    if (found) this.choose(found);
  }

  /** Read the list anew; a list that is there stays when the reading fails, and says so. */
  async refresh() {
    const operation = this.operation;
    let recordings;
    try {
      recordings = await readAll(operation.id);
    } catch (problem) {
      if (problem.status === 401) return toSignIn("not-signed-in");
      if (operation !== this.operation) return;
      if (this.recordings.length === 0) this.list.say(say("review.list-failed", { why: problem.words ?? "" }));
      write(this.notes, say("review.list-old"));
      return;
    }
    if (operation !== this.operation) return;
    this.recordings = recordings;
    write(this.notes, recordings.length ? say("review.count", { count: recordings.length }) : "");
    if (recordings.length === 0) this.list.say(say("review.none"));
    else this.list.show(recordings);
    const chosen = recordings.find((recording) => recording.id === this.list.chosen);
    if (chosen) this.controls.update(chosen);
  }

  choose(recording) {
    const address = new URL(location.href);
    address.searchParams.set("recording", recording.id);
    history.replaceState(null, "", address);
    this.list.mark(recording.id);
    this.map.open(recording);
    this.controls.open(recording);
  }
}

async function readAll(operationId) {
  const recordings = [];
  let cursor = null;
  for (let page = 0; page < PAGES; page += 1) {
    const query = new URLSearchParams({ operation_id: operationId, ...(cursor ? { cursor } : {}) });
    const answer = await ask("GET", `/api/recordings?${query}`);
    recordings.push(...answer.items);
    cursor = answer.next;
    if (!cursor) break;
  }
  return recordings;
}

