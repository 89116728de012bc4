// The wall: a tile a feed, each at its place; one may be enlarged while the others stay in sight.

import { showDialog } from "./dialog.js";
import { h, setMark, stateMark, write } from "./dom.js";
import { onKey } from "./keys.js";
import { live, toSignIn } from "./live.js";
import { keepBars } from "./live_bar.js";
import { ask } from "./net.js";
import { onOperation } from "./operation.js";
import { person } from "./person.js";
import { talkButton } from "./talk.js";
import { Tile } from "./tile.js";
import { say } from "./words.js";

const TICK_MS = 250;
const GAP_PX = 6;
const BARS_PX = 56; // head, foot and recording bar of a tile
const BESIDE_PX = 95; // the least height of a tile beside the spotlight
const DIGITS_MS = 700;
const FIGURES_MS = 1_000;
const tiles = new Map();
let wall, empty, notes, spotlit = null, picked = null, areFiguresShown = false;

export function mount(element) {
  wall = element;
  notes = document.getElementById("wall-notes");
  empty = h("p.blank", {}, say("wall.empty"));
  wall.append(empty);
  onOperation((operation) => {
    for (const feed of [...tiles.keys()]) drop(feed);
    write(empty, say(operation ? "wall.empty" : "wall.no-operation"));
    arrange();
  });
  live.on("snapshot", (snapshot) => sync(snapshot.feeds));
  live.on("feed", take);
  live.on("talking", (isTalking) => {
    for (const tile of tiles.values()) if (tile.speaker) tile.speaker.muted = isTalking;
  });
  keepBars(tiles);
  setInterval(tick, TICK_MS);
  setInterval(() => areFiguresShown && measure(), FIGURES_MS);
  new ResizeObserver(arrange).observe(wall);
  onKey(key);
  document.addEventListener("visibilitychange", () => {
    for (const tile of tiles.values()) tile.aim();
  });
  addEventListener("pagehide", () => {
    for (const tile of tiles.values()) tile.stop();
  });
  addEventListener("command:pick", (event) => pick(tiles.get(event.detail.feed)));
}

function sync(feeds) {
  const present = new Set(feeds.map((view) => view.feed));
  for (const feed of [...tiles.keys()]) if (!present.has(feed)) drop(feed);
  for (const view of feeds) take(view);
}

function take(view) {
  const tile = tiles.get(view.feed);
  if (tile) return tile.update(view);
  tiles.set(view.feed, new Tile(view, { enlarge, tools, signedOut: () => toSignIn("not-signed-in") }));
  arrange();
}

function drop(feed) {
  const tile = tiles.get(feed);
  if (tile === spotlit) spotlit = null;
  if (tile === picked) picked = null;
  tile.remove();
  tiles.delete(feed);
}

const inOrder = () => live.ordered().map((view) => tiles.get(view.feed)).filter(Boolean);

/** Put the tiles in their order, and choose the columns that make them largest. */
function arrange() {
  const list = inOrder();
  empty.hidden = list.length > 0;
  const numbers = live.numbers();
  list.forEach((tile, index) => {
    tile.number = numbers.get(tile.view.feed);
    if (wall.children[index + 1] !== tile.element) wall.insertBefore(tile.element, wall.children[index + 1] ?? null);
    tile.element.classList.toggle("is-spotlit", tile === spotlit);
    tile.paint();
  });
  wall.classList.toggle("has-spotlight", Boolean(spotlit));
  const { columns, rows, span } = grid(list.length, Boolean(spotlit), wall.clientWidth, wall.clientHeight);
  wall.classList.toggle("is-crowded", span > 0);
  wall.style.setProperty("--columns", columns);
  wall.style.setProperty("--rows", rows);
  wall.style.setProperty("--span", span);
  for (const tile of list) tile.aim();
}

/** How the tiles stand: without a spotlight as large as can be; beside one in its columns; many around it, `span` cells wide. */
export function grid(count, hasSpotlight, width, height) {
  const others = Math.max(1, count - (hasSpotlight ? 1 : 0));
  // On a low screen five on top of one another would be all bars and no picture.
  const inColumn = Math.min(5, Math.max(1, Math.floor(height / BESIDE_PX)));
  if (hasSpotlight && others > 2 * inColumn) {
    const side = Math.max(5, Math.ceil((others + 4) / 4)); // the cells of a square's last two columns and rows
    return { columns: side, rows: side, span: side - 2 };
  }
  const columns = hasSpotlight ? Math.ceil(others / inColumn) : bestColumns(others, width, height);
  return { columns, rows: Math.ceil(others / columns), span: 0 };
}

/** How many columns make 16:9 pictures largest in this space. */
export function bestColumns(count, width, height) {
  let best = 1;
  let bestWidth = 0;
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const cellWidth = (width - GAP_PX * (columns - 1)) / columns;
    const cellHeight = (height - GAP_PX * (rows - 1)) / rows - BARS_PX;
    const pictureWidth = Math.min(cellWidth, (cellHeight * 16) / 9);
    if (pictureWidth > bestWidth + 1) {
      best = columns;
      bestWidth = pictureWidth;
    }
  }
  return best;
}

const ofSite = (ordinal) => inOrder().filter((tile) => String(tile.view.site_ordinal) === ordinal);

function enlarge(tile) {
  spotlit = spotlit === tile ? null : tile;
  pick(tile);
  arrange();
}

/** Choose a tile: it is framed, and the map shows whose it is. */
function pick(tile) {
  if (!tile) return;
  picked?.element.classList.remove("is-picked");
  picked = tile;
  tile.element.classList.add("is-picked");
  tile.element.focus({ preventScroll: true });
  dispatchEvent(new CustomEvent("command:focus", { detail: { feed: tile.view.feed } }));
}

let digits = "";
let digitsTimer;

function key(event) {
  if (/^[0-9]$/.test(event.key)) {
    clearTimeout(digitsTimer);
    digitsTimer = setTimeout(() => (digits = ""), DIGITS_MS);
    const both = digits + event.key;
    digits = ofSite(both).length ? both : event.key;
    const list = ofSite(digits);
    // The same number once more goes on to the site's next camera.
    if (list.length) pick(list[(list.indexOf(picked) + 1) % list.length]);
    return true;
  }
  if (event.key === "Enter" && picked && !event.target.closest("button, a, summary")) {
    enlarge(picked);
    return true;
  }
  if (event.key === "Escape" && (spotlit || picked)) {
    if (spotlit) spotlit = null;
    else {
      picked.element.classList.remove("is-picked");
      picked.element.blur();
      picked = null;
    }
    arrange();
    return true;
  }
  if (event.key.toLowerCase() === "d") {
    areFiguresShown = !areFiguresShown;
    measure();
    return true;
  }
  if (event.key.toLowerCase() === "m" && picked) {
    picked.toggleSound();
    return true;
  }
  return false;
}

/** What else can be done to a feed, by who may. */
function tools(tile) {
  return [talkButton(tile.view.feed), revokeButton(tile)];
}

function revokeButton(tile) {
  if (!person().permissions.includes("revoke_devices")) return null;
  const button = h("button.quiet.tile-revoke", { type: "button", title: say("tile.revoke.title") }, say("tile.revoke"));
  button.addEventListener("click", async (event) => {
    event.stopPropagation();
    const question = say("tile.revoke.sure", { officer: tile.view.officer });
    if (!(await sure(question))) return;
    try {
      await ask("DELETE", `/api/feeds/${encodeURIComponent(tile.view.feed)}`);
    } catch (problem) {
      await sure(problem.words, { isNews: true });
    }
  });
  return button;
}

function sure(question, { isNews = false } = {}) {
  return new Promise((resolve) => {
    const dialog = h(
      "dialog.sure",
      { "aria-label": question },
      h("p", {}, question),
      h(
        "form",
        { method: "dialog" },
        isNews ? null : h("button.danger", { value: "yes" }, say("sure.yes")),
        h("button", { value: "no", autofocus: true }, say(isNews ? "sure.close" : "sure.no")),
      ),
    );
    showDialog(dialog, () => resolve(dialog.returnValue === "yes"));
  });
}

const COUNTED = ["normal", "standby", "paused", "caution", "serious", "critical", "off"];
const marks = new Map(COUNTED.map((name) => [name, stateMark(lookOf(name), "")]));

function measure() {
  for (const tile of tiles.values()) tile.measure(areFiguresShown);
}

/** Judge every tile, and count the states at the wall's head. */
function tick() {
  const counts = new Map();
  for (const tile of tiles.values()) {
    tile.tick();
    const name = tile.verdict.phase === "paused" ? "paused" : tile.verdict.state;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  for (const [name, mark] of marks) {
    const count = counts.get(name) ?? 0;
    if (count && !mark.isConnected) notes.append(mark);
    if (!count) mark.remove();
    else setMark(mark, lookOf(name), say(`wall.count.${name}`, { count }));
  }
}

/** A paused tile calls for the same attention as a frozen one, in other words. */
function lookOf(name) {
  return name === "paused" ? "caution" : name;
}
