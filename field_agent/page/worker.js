// Keeps the page's own files, so that it starts without a network. Never touches the API or media.

const SHELL = "field-shell-1";
const FILES = [
  "/field",
  "/field/style.css",
  "/field/main.js",
  "/field/alerts.js",
  "/field/api.js",
  "/field/assets-view.js",
  "/field/assets-words.js",
  "/field/assets.css",
  "/field/camera.js",
  "/field/cards.js",
  "/field/elements.js",
  "/field/entrance.js",
  "/field/field-assets.js",
  "/field/figures.js",
  "/field/ice-restart.js",
  "/field/instructions.js",
  "/field/listen-view.js",
  "/field/listen.js",
  "/field/live.js",
  "/field/numbers.js",
  "/field/officer-socket.js",
  "/field/outbox.js",
  "/field/patience.js",
  "/field/phone.js",
  "/field/picture.js",
  "/field/positions.js",
  "/field/proposals.js",
  "/field/propose-form.js",
  "/field/publisher.js",
  "/field/sheets.js",
  "/field/store.js",
  "/field/whip.js",
  "/field/words.js",
  "/field/words/zh.json",
  "/field/words/en.json",
  "/field/icon.svg",
  "/field/manifest.webmanifest",
];
const PATIENCE_MS = 3000;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(FILES)));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== SHELL).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

/** The network first, so that a new version is never late; the kept file when it doesn't answer. */
async function fresh(request) {
  const cache = await caches.open(SHELL);
  const kept = await cache.match(request, { ignoreSearch: true });
  const timeout = new AbortController();
  const timer = kept && setTimeout(() => timeout.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(request, { signal: timeout.signal });
    if (answer.ok) await cache.put(request, answer.clone());
    return answer;
  } catch (error) {
    if (kept) return kept;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const isOurs = url.origin === self.location.origin && FILES.includes(url.pathname);
  if (event.request.method === "GET" && isOurs) event.respondWith(fresh(event.request));
});
