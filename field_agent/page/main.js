// Where the page's parts are joined; nothing imports this.

import * as api from "./api.js";
import { Alarm, unlockSound } from "./alerts.js";
import { AssetsView } from "./assets-view.js";
import { Camera } from "./camera.js";
import { Cards } from "./cards.js";
import { notice, prepareSignIn, problemWords, Ready, Sites } from "./entrance.js";
import { FieldAssets } from "./field-assets.js";
import { Instructions } from "./instructions.js";
import { Listener } from "./listen.js";
import { ListenView } from "./listen-view.js";
import { clockWords, LiveView } from "./live.js";
import { OfficerSocket } from "./officer-socket.js";
import { Outbox } from "./outbox.js";
import { deviceName, keepShell, WakeLock, watchBattery } from "./phone.js";
import { Positions } from "./positions.js";
import { Proposals } from "./proposals.js";
import { ProposeForm } from "./propose-form.js";
import { Publisher } from "./publisher.js";
import { confirmed, prepareSheets, showHistory } from "./sheets.js";
import { Store } from "./store.js";
import { chosenLanguage, named, onLanguage, otherLanguage, say, useLanguage } from "./words.js";

const DRAIN_MS = 8000;
const RELOAD_LEAST_MS = 30_000;
const RELOADED = "field-reloaded";
const PLACE = "place";
const PERSON = "person";

const one = (selector) => document.querySelector(selector);
const all = (selector) => document.querySelectorAll(selector);

const device = deviceName();
const store = await Store.open();
const outbox = new Outbox(store);
const camera = new Camera();
const positions = new Positions();
const publisher = new Publisher(camera);
const listener = new Listener();
const socket = new OfficerSocket(device, () => Math.max(outbox.waitingMs("receipts"), waitingOnSocket()));
const instructions = new Instructions(store, (receipt) => outbox.add(receipt));
const wakeLock = new WakeLock();
const alarm = new Alarm(() => instructions.open[0]);
const live = new LiveView({ publisher, positions, outbox, socket, camera });
const sites = new Sites((operation, site) => chooseSite({ operation, site }), sessionEnded);
const ready = new Ready(camera, positions, () => goLive());
const proposals = new Proposals(store);
const fieldAssets = new FieldAssets(store);
const proposeForm = new ProposeForm(propose);
const assetsView = new AssetsView(fieldAssets, proposals, (chosen) => proposeForm.open(chosen));
new Cards(instructions, clockWords);
new ListenView(listener);

let person = null;
let place = null; // {operation, site} of now
let fieldRoad = null; // what carries positions: the session's channel or the socket

function waitingOnSocket() {
  return fieldRoad === socket.send ? outbox.waitingMs("field") : 0;
}

function show(name) {
  for (const view of all(".view")) view.hidden = view.id !== `view-${name}`;
  document.body.dataset.view = name;
}

function write() {
  for (const element of all(".officer-name")) element.textContent = person?.display_name ?? "";
  for (const element of all(".court-name")) element.textContent = person ? named(person.court, "name") : "";
  for (const element of all(".site-name")) {
    element.textContent = place ? `${place.site.ordinal} · ${named(place.site, "name")}` : "";
  }
  for (const element of all(".operation-name")) {
    element.textContent = place ? named(place.operation, "name") : "";
  }
  for (const element of all(".language")) element.textContent = say("language.other");
}

/** Someone is signed in: take up what was left on this phone, and go where it was. */
async function enter(someone) {
  person = sites.person = someone;
  if (!chosenLanguage()) await useLanguage(person.language);
  await store.set(PERSON, person).catch(() => {});
  await outbox.load(person.id);
  await instructions.load(person.id);
  await proposals.load(person.id);
  await fieldAssets.load(person.id);
  write();
  socket.start();
  const kept = await store.get(PLACE);
  if (kept?.owner === person.id && kept.isLive) {
    place = { operation: kept.operation, site: kept.site };
    one("#demonstration").hidden = !place.operation.is_demonstration;
    await resume();
    return;
  }
  show("sites");
  await sites.load();
}

/** After a reload in the middle of the work: back on the air without a tap. */
async function resume() {
  write();
  try {
    await camera.open();
    positions.start();
    await goLive();
  } catch {
    show("ready");
    ready.open();
  }
}

function chooseSite(chosen) {
  place = chosen;
  write();
  show("ready");
  ready.open();
}

async function goLive() {
  let feed;
  try {
    feed = await api.registerFeed(place.operation.id, place.site.id, device);
  } catch (error) {
    if (sessionEnded(error)) return;
    const kept = await store.get("feed");
    if (!(error instanceof api.Unreachable) || kept?.site !== place.site.id) {
      notice("ready-notice", problemWords(error));
      show("ready");
      ready.open();
      return;
    }
    feed = kept.feed;
  }
  await store.set("feed", { site: place.site.id, feed }).catch(() => {});
  await keepPlace(true);
  show("live");
  live.open();
  wakeLock.hold();
  positions.start();
  publisher.start(feed);
  listener.start(feed);
}

async function keepPlace(isLive) {
  const { operation, site } = place;
  const { sites: _, ...brief } = operation;
  await store.set(PLACE, { owner: person.id, operation: brief, site, isLive }).catch(() => {});
}

async function stopLive() {
  if (!(await confirmed("confirm.stop"))) return;
  wakeLock.release();
  await keepPlace(false);
  await publisher.stop("officer", () => outbox.drained(1000));
  camera.close();
  one("#preview").srcObject = null;
}

async function resumeLive() {
  unlockSound();
  try {
    await camera.open();
  } catch {
    live.hint(say("ready.refused.camera"));
    return;
  }
  await goLive();
}

async function changeSite() {
  if (publisher.isWanted && !(await confirmed("confirm.stop"))) return;
  one("#sheet-history").close();
  await leaveAir();
  await store.set(PLACE, null).catch(() => {});
  show("sites");
  await sites.load();
}

/** Keep a proposal in the name of the operation that this phone works in, and send it as soon as that can be. */
async function propose(body, title, ofCase) {
  const here = ofCase.operations.find((each) => each.operation_id === place?.operation.id) ?? ofCase.operations[0];
  await proposals.add({ ...body, operation_id: here.operation_id }, title);
}

function decided(proposal) {
  one("#assets").dataset.open = "!";
  live.hint(say(`assets.news.${proposal.state}`));
}

async function leaveAir(reason = "officer") {
  wakeLock.release();
  if (publisher.isWanted) await publisher.stop(reason, () => outbox.drained(1000));
  camera.close();
  positions.stop();
  alarm.stop();
}

/** Sign out: stop, upload what is left, wipe this phone. */
async function leave() {
  if (!(await confirmed("confirm.sign-out"))) return;
  one("#sheet-history").close();
  await leaveAir();
  const unsent = await outbox.drained(DRAIN_MS, (count) => live.hint(say("sign-out.uploading", { count })));
  const left = unsent + (await proposals.drained(unsent ? 0 : DRAIN_MS));
  await api.signOut().catch(() => {});
  await forget(left ? say("problem.kept", { count: left }) : say("problem.signed-out"));
}

/** Nobody is signed in any more. What isn't uploaded stays for this person's next sign-in. */
async function forget(words) {
  socket.stop();
  proposals.leave();
  fieldAssets.leave();
  person = null;
  place = null;
  await store.wipe().catch(() => {});
  for (const sheet of all("dialog[open]")) sheet.close();
  show("sign-in");
  notice("sign-in-notice", words);
}

/** Whether an error means that the session is over; if so, go to the sign-in. */
function sessionEnded(error) {
  if (!(error instanceof api.Refused) || error.status !== 401) return false;
  leaveAir("signed-out").then(() => forget(say("problem.session-over")));
  return true;
}

async function signedOutByCentre(code) {
  const isRemoved = code === "removed-from-operation";
  await leaveAir(isRemoved ? "ended" : "signed-out");
  await forget(say(isRemoved ? "problem.officer-not-in-operation" : "problem.session-over"));
}

/** Positions take the data channel while it is open, else the WebSocket; receipts always the latter. */
function chooseRoads() {
  const session = publisher.session?.hasChannel ? publisher.session : null;
  if (session) session.road ??= (text) => session.send(text);
  fieldRoad = session?.road ?? (socket.isOpen ? socket.send : null);
  outbox.useRoad("field", fieldRoad);
  outbox.useRoad("receipts", socket.isOpen ? socket.send : null);
}

function received(message) {
  if (message.type === "ack" || message.type === "refusal") {
    if (message.id) outbox.settled(message.id);
  } else if (message.type === "instruction") instructions.received(message);
  else if (message.type === "signed-out") signedOutByCentre(message.code);
}

function reloadOnce() {
  const last = Number(sessionStorage.getItem(RELOADED) ?? 0);
  if (Date.now() - last < RELOAD_LEAST_MS) return;
  sessionStorage.setItem(RELOADED, String(Date.now()));
  live.hint(say("update"));
  location.reload();
}

publisher.addEventListener("road", chooseRoads);
publisher.addEventListener("change", () => publisher.isWanted || listener.stop());
publisher.addEventListener("message", ({ detail }) => received(JSON.parse(detail)));
publisher.addEventListener("camera", ({ detail: state }) => {
  outbox.add({ type: "camera", id: crypto.randomUUID(), at: Date.now(), state });
});
publisher.addEventListener("signed-out", () => signedOutByCentre(""));
socket.addEventListener("change", chooseRoads);
socket.addEventListener("message", ({ detail }) => received(detail));
socket.addEventListener("reload", reloadOnce);
socket.addEventListener("refused", async () => {
  if (person && (await api.whoAmI().catch(() => person)) === null) await signedOutByCentre("");
});
positions.addEventListener("fix", ({ detail }) => outbox.add(detail));
instructions.addEventListener("new", ({ detail }) => {
  alarm.ring(detail.priority);
  // Nothing that can wait stands before what can't.
  if (detail.priority === "critical") for (const name of ["propose", "assets"]) one(`#sheet-${name}`).close();
});
instructions.addEventListener("change", () => {
  if (!instructions.open.length) alarm.stop();
  one("#history").dataset.open = instructions.open.length || "";
  showHistory(instructions.all, clockWords);
});
proposals.addEventListener("sent", () => fieldAssets.refresh());
fieldAssets.addEventListener("decided", ({ detail }) => decided(detail));
for (const part of [proposals, fieldAssets]) part.addEventListener("signed-out", ({ detail }) => sessionEnded(detail));
onLanguage(() => {
  write();
  showHistory(instructions.all, clockWords);
});

one("#ready-back").addEventListener("click", () => {
  camera.close();
  show("sites");
  sites.load();
});
one("#stop").addEventListener("click", stopLive);
one("#resume").addEventListener("click", resumeLive);
one("#restore").addEventListener("click", () => publisher.restoreCamera());
one("#change-site").addEventListener("click", changeSite);
one("#history").addEventListener("click", () => one("#sheet-history").showModal());
for (const button of all(".open-assets")) {
  button.addEventListener("click", () => {
    one("#assets").dataset.open = "";
    assetsView.open();
  });
}
one("#mute").addEventListener("click", () => {
  camera.mute(!camera.isMuted);
  live.show();
});
one("#switch-camera").addEventListener("click", async () => {
  if (!(await camera.hasAnother())) live.hint(say("live.one-camera"));
  else await camera.flip().catch(() => camera.noPictures());
});
for (const button of all(".sign-out")) button.addEventListener("click", leave);
for (const button of all(".language")) {
  button.addEventListener("click", async () => {
    const wanted = otherLanguage();
    await useLanguage(wanted, { keep: true });
    if (person) await api.setLanguage(wanted).catch(() => {});
  });
}

addEventListener("pointerdown", unlockSound, { once: true });
prepareSheets();
prepareSignIn(enter);
watchBattery((percent, isLow) => live.battery(percent, isLow));
keepShell();
await useLanguage(chosenLanguage() ?? "zh");
// Without a network the phone goes on as who it was: what it records now is uploaded later.
const someone = api.mayBeSignedIn() ? await api.whoAmI().catch(() => store.get(PERSON)) : null;
if (someone?.permissions.includes("publish")) await enter(someone);
else show("sign-in");
