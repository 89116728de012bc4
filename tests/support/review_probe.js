// What the review's page shows, for a test: the pictures' own times, the clock, the map and the list.

function makeProbe(readCode) {
  const canvas = document.createElement("canvas");
  const tiles = () => [...document.querySelectorAll("#wall .tile")];
  const video = (tile) => tile.querySelector("video");
  const codes = () => Object.fromEntries(tiles().map((tile) => [tile.dataset.feed, tile.dataset.phase === "live" ? readCode(video(tile), canvas) : null]));
  const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const review = () => window.commandReview;

  const probe = {
    live: () => tiles().filter((tile) => tile.dataset.phase === "live").length,
    phases: () => Object.fromEntries(tiles().map((tile) => [tile.dataset.feed, tile.dataset.gap ?? tile.dataset.phase])),
    now: () => review().clock.now,
    codes,
    /** Jump; `ms`: until every tile that has a picture shows the one of the moment; `codes`: what they show. */
    async seek(at, patienceMs = 10_000) {
      const began = performance.now();
      const shown = new Map();
      for (const tile of tiles()) {
        const note = () => shown.set(tile, performance.now());
        video(tile).requestVideoFrameCallback(note);
      }
      review().seek(at);
      while (performance.now() - began < patienceMs) {
        await nextFrame();
        const waiting = tiles().filter((tile) => tile.dataset.phase === "loading" || (tile.dataset.phase === "live" && video(tile).seeking));
        if (waiting.length === 0) break;
      }
      const stood = performance.now() - began;
      await nextFrame();
      return { ms: Math.max(stood, ...[...shown.values()].map((time) => time - began)), now: review().clock.now, codes: codes(), phases: probe.phases() };
    },
    /** Where the map has put an officer. */
    place(feed) {
      const marker = document.querySelector("#review-map iframe")?.contentWindow?.mapFrame?.markers.get(feed);
      return marker?.isPlaced ? [marker.place.lat, marker.place.lng] : null;
    },
    trail(feed) {
      const marker = document.querySelector("#review-map iframe")?.contentWindow?.mapFrame?.markers.get(feed);
      return marker ? [marker.trail.getLatLngs().length, marker.points.length] : null;
    },
    /** Where on the screen a share of what the line shows lies, in a camera's lane. */
    onLine({ feed, share }) {
      const box = document.querySelector(`.line-row[data-feed="${feed}"] .line-track`).getBoundingClientRect();
      return [box.left + box.width * share, box.top + box.height / 2];
    },
    /** How far the centre's voice is from the clock, in seconds; null while it is silent. */
    voice() {
      const [line] = review().voices.lines.values();
      const { audio, follower } = line;
      return audio.paused || audio.muted || follower.shown !== "live" ? null : audio.currentTime - follower.source.seconds(review().clock.now);
    },
    current: () => document.querySelector(".event.is-current .event-words")?.textContent ?? null,
  };
  return probe;
}
