// The way in: sign in, choose the site, allow camera and position. Three taps after the sign-in to be live.

import * as api from "./api.js";
import { unlockSound } from "./alerts.js";
import { knows, language, named, onLanguage, say } from "./words.js";

const one = (selector) => document.querySelector(selector);

/** Show a sentence in a notice, or hide it. */
export function notice(id, text = "") {
  const element = one(`#${id}`);
  element.textContent = text;
  element.hidden = !text;
}

/** The words for what went wrong. */
export function problemWords(error) {
  if (error instanceof api.Refused) {
    if (knows(`problem.${error.code}`)) return say(`problem.${error.code}`);
    if (error.status === 401) return say("problem.wrong-credentials");
    return say(error.status === 429 ? "problem.too-many-tries" : "problem.server");
  }
  return say("problem.network");
}

/** Let the sign-in form call `signedIn(person)`. */
export function prepareSignIn(signedIn) {
  const form = one("#sign-in-form");
  const button = one("#sign-in");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [username, password, code] = ["#username", "#password", "#code"].map((id) => one(id).value.trim());
    if (!username || !password) {
      one(username ? "#password" : "#username").focus();
      return;
    }
    unlockSound();
    button.disabled = true;
    button.textContent = say("sign-in.busy");
    notice("sign-in-notice");
    try {
      const person = await api.signIn(username, one("#password").value, code);
      if (!person.permissions.includes("publish")) {
        await api.signOut();
        throw new api.Refused(403, "not-an-officer");
      }
      form.reset();
      one("#code-field").hidden = true;
      await signedIn(person);
    } catch (error) {
      if (error.code?.startsWith("second-factor")) {
        one("#code-field").hidden = false;
        one("#code").focus();
      }
      notice("sign-in-notice", problemWords(error));
    } finally {
      button.disabled = false;
      button.textContent = say("sign-in.go");
    }
  });
}

function siteButton(operation, site, isOwn, choose) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "site";
  button.dataset.siteOrdinal = site.ordinal;
  button.dataset.operation = operation.id;
  button.dataset.own = isOwn;
  const number = document.createElement("b");
  number.className = "number";
  number.textContent = site.ordinal;
  const name = document.createElement("span");
  name.className = "name";
  name.textContent = named(site, "name");
  const place = document.createElement("span");
  place.className = "quiet";
  place.textContent = named(site, "district") + (isOwn ? ` · ${say("sites.yours")}` : "");
  button.append(number, name, place);
  button.addEventListener("click", () => choose(operation, site));
  return button;
}

/** The list of sites of all of this officer's operations: one tap chooses both. */
export class Sites {
  person = null;
  #operations = [];
  #choose;
  #failed;

  constructor(choose, failed) {
    this.#choose = choose;
    this.#failed = failed;
    one("#sites-again").addEventListener("click", () => this.load());
    onLanguage(() => this.#show());
  }

  /** Read them anew; gives the operations. */
  async load() {
    notice("sites-notice", this.#operations.length ? "" : say("sites.loading"));
    one("#sites-again").hidden = true;
    try {
      this.#operations = (await api.operations()).filter((operation) => operation.state !== "ended");
      notice("sites-notice", this.#operations.length ? "" : say("sites.none"));
      one("#sites-again").hidden = this.#operations.length > 0;
    } catch (error) {
      if (this.#failed(error)) return [];
      notice("sites-notice", problemWords(error));
      one("#sites-again").hidden = false;
    }
    this.#show();
    return this.#operations;
  }

  #show() {
    one("#demonstration").hidden = !this.#operations.some((operation) => operation.is_demonstration);
    one("#site-list").replaceChildren(
      ...this.#operations.map((operation) => {
        const section = document.createElement("section");
        const title = document.createElement("h2");
        title.textContent = named(operation, "name");
        const number = document.createElement("p");
        number.className = "quiet";
        number.textContent = operation.case_number ?? "";
        const own = operation.officers?.find((officer) => officer.user_id === this.person?.id)?.site_id;
        const sites = operation.sites.map((site) => siteButton(operation, site, site.id === own, this.#choose));
        section.append(title, number, ...sites);
        return section;
      }),
    );
  }
}

function check(name, state, words) {
  const line = one(`#check-${name}`);
  line.dataset.state = state;
  line.querySelector("em").textContent = words;
}

/** The permissions' page: asks for camera, microphone and position, and shows what came. */
export class Ready {
  #camera;
  #positions;

  constructor(camera, positions, goLive) {
    this.#camera = camera;
    this.#positions = positions;
    one("#allow").addEventListener("click", () => this.#ask());
    one("#go-live").addEventListener("click", () => {
      unlockSound();
      goLive();
    });
    onLanguage(() => this.#show());
  }

  /** Start anew, for a site. */
  open() {
    notice("ready-notice");
    one("#ready-stage").append(one("#preview"));
    this.#show();
  }

  get #isReady() {
    return this.#camera.video?.readyState === "live";
  }

  async #ask() {
    unlockSound();
    const button = one("#allow");
    button.disabled = true;
    notice("ready-notice", say("ready.asking"));
    const position = this.#positions.ask();
    let problem = "";
    try {
      await this.#camera.open();
      one("#preview").srcObject = this.#camera.stream;
    } catch (error) {
      problem = { refused: "ready.refused.camera", insecure: "ready.insecure" }[error.code] ?? "ready.missing.camera";
    }
    this.#show();
    if (!(await position) && !problem) problem = "ready.refused.position";
    notice("ready-notice", problem && say(problem));
    button.disabled = false;
    this.#show();
  }

  #show() {
    const { video, audio, facing } = this.#camera;
    const side = { environment: "ready.back", user: "ready.front" }[facing] ?? "ready.unknown";
    const waiting = say("check.waiting");
    check("camera", video ? "good" : "waiting", video ? say(side) : waiting);
    check("microphone", audio ? "good" : "waiting", audio ? say("ready.unknown") : waiting);
    const { state, accuracy } = this.#positions;
    const words = { good: say("ready.accuracy", { metres: Math.round(accuracy) }), refused: say("check.refused") };
    check("position", state === "away" ? "waiting" : state, words[state] ?? waiting);
    one("#allow").hidden = this.#isReady;
    one("#go-live").hidden = !this.#isReady;
    document.documentElement.dataset.language = language();
  }
}
