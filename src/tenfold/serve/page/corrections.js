// "No, that's a 7": corrections are sent only with consent; those kept can be reviewed, relabelled, exported and deleted.

import { keepFocus } from "./focus.js";
import { showGlyph } from "./pixels.js";
import { element } from "./row.js";
import { ask } from "./server.js";

const CONSENT = "tenfold.keep-corrections"; // in localStorage
const A_PAGE = 60; // samples shown at once
const MOST = 500; // samples that the server gives at once
const CUT = 160; // pixels of a kept picture's longer side

const byId = (id) => document.getElementById(id);

export class Corrections extends EventTarget {
  #n = 0; #enabled = true; #shown = 0; #wanted = A_PAGE; #turn = 0; #last = Promise.resolve();

  /** Event: `change`, whenever the number of kept corrections may have changed. */
  constructor() {
    super();
    const consent = byId("consent");
    consent.checked = recalled();
    consent.addEventListener("change", () => remember(consent.checked));
    byId("more").addEventListener("click", () => this.#more());
    byId("forget").addEventListener("click", () => byId("sure").showModal());
    byId("sure").addEventListener("close", () => { if (byId("sure").returnValue === "yes") this.#attempt(() => ask("DELETE", "samples")); });
    this.#reload();
  }

  get n() { return this.#n; }
  get consent() { return byId("consent").checked; }

  /** Keep, or change, what a person says of an item: one line to tell them. Throws Refusal. */
  async keep(item, label, version, cut) {
    if (!this.#enabled) return "Noted on this page only: this service keeps no corrections.";
    if (!this.consent) {
      const already = item.said.kept !== null ? " What was kept of it before stays as it is; it can be changed or deleted under “Your hand”." : "";
      return `Noted on this page only. To let tenfold learn from it, allow keeping below, then press again.${already}`;
    }
    const picture = cut(item.box, CUT); // now: until its turn comes the pad may be cleared
    await this.#inTurn(() => this.#keep(item, label, version, picture)); // so that a double click keeps it once
    await this.#reload();
    return "Kept. Thank you.";
  }

  /** Changes reach the server in the order in which they were made: requests may overtake one another. */
  #inTurn(change) {
    const made = this.#last.then(change);
    this.#last = made.catch(() => {});
    return made;
  }

  async #keep(item, label, version, picture) {
    const { said } = item;
    if (said.kept !== null && await this.#relabelled(said.kept, label)) return;
    said.kept = (await ask("POST", "samples", await sample(item, label, version, picture))).id;
  }

  /** Whether the kept one could be changed; it may have been deleted meanwhile, here or elsewhere. */
  async #relabelled(id, label) {
    try {
      await ask("PATCH", `samples/${id}`, { label });
      return true;
    } catch (problem) {
      if (problem.code === "not_found") return false;
      throw problem;
    }
  }

  /** A page more, when no answer is awaited: it would be of another list. */
  #more() {
    if (byId("more").ariaDisabled === "true") return;
    this.#wanted = this.#shown + A_PAGE;
    this.#load(this.#shown, A_PAGE);
  }

  /** The list from its top, as long as it was. */
  #reload() { return this.#load(0, Math.min(this.#wanted, MOST)); }

  /** An answer that was overtaken by a later question is dropped. */
  async #load(offset, limit) {
    const turn = ++this.#turn;
    byId("more").ariaDisabled = "true";
    try {
      const { enabled, stored, n, samples } = await ask("GET", `samples?limit=${limit}&offset=${offset}`);
      if (turn !== this.#turn) return;
      this.#n = n;
      this.#show(samples, offset, enabled ?? stored);
      this.#tell("");
    } catch (problem) {
      if (turn !== this.#turn) return;
      if (problem.code !== "not_found") this.#tell(problem.message);
    }
    byId("more").ariaDisabled = "false";
    this.dispatchEvent(new Event("change"));
  }

  #show(samples, offset, enabled) {
    this.#enabled = enabled;
    byId("consent").disabled = !enabled;
    if (!enabled) byId("consent").checked = false; // though it was agreed to earlier
    if (!enabled) byId("hand-lead").textContent = "This service keeps no corrections: it was started with --no-samples.";
    this.#shown = offset + samples.length;
    const cards = samples.map((one) => this.#card(one));
    keepFocus(() => this.#list(cards, offset), cards[0]?.querySelector("select"), byId("hand"));
  }

  #list(cards, offset) {
    byId("kept").hidden = this.#n === 0;
    byId("kept-title").textContent = `${this.#n} kept ${this.#n === 1 ? "correction" : "corrections"}`;
    byId("more").hidden = this.#shown >= this.#n;
    if (offset) byId("samples").append(...cards);
    else this.#replace(cards);
  }

  /** The list anew; whoever goes through it by keys stays at the same card, or goes on at the next one. */
  #replace(cards) {
    const list = byId("samples"), old = [...list.children], held = document.activeElement;
    const at = old.findIndex((card) => card.contains(held));
    list.replaceChildren(...cards);
    if (at < 0) return;
    const card = cards.find((one) => one.dataset.id === old[at].dataset.id) ?? cards[Math.min(at, cards.length - 1)];
    (card?.querySelector(held.className ? `.${held.className}` : held.localName) ?? byId("hand")).focus();
  }

  #card(one) {
    const card = element("li"), glyph = element("canvas"), label = element("select"), away = element("button", "icon");
    card.dataset.id = one.id;
    glyph.setAttribute("role", "img");
    glyph.setAttribute("aria-label", one.read_as === null ? "A digit you wrote" : `A digit you wrote, read as ${one.read_as}`);
    showGlyph(glyph, one.glyph);
    label.append(...[...Array(10).keys()].map((k) => new Option(k, k, k === one.label, k === one.label)));
    const before = one.read_as === null ? "not read as a digit" : `read as ${one.read_as}`;
    label.setAttribute("aria-label", `What it is, ${before}`);
    // Changed in place: the arrows of a closed list choose one label after the other, and must not lose it.
    label.addEventListener("change", () => {
      const chosen = label.value;
      this.#attempt(async () => {
        await ask("PATCH", `samples/${one.id}`, { label: Number(chosen) });
        away.setAttribute("aria-label", `Delete this ${chosen}, ${before}`);
      }, false);
    });
    away.type = "button";
    away.setAttribute("aria-label", `Delete this ${one.label}, ${before}`);
    away.append(icon("close"));
    away.addEventListener("click", (event) => { if (event.detail < 2) this.#delete(away, one.id); });
    card.append(one.has_picture ? withStrokes(glyph, one.id) : glyph, label, element("small", "", before), away);
    return card;
  }

  /** Once; the second half of a double click is not listened to, for it may meet the card that has moved up. */
  async #delete(away, id) {
    if (away.ariaDisabled === "true") return;
    away.ariaDisabled = "true";
    await this.#attempt(() => ask("DELETE", `samples/${id}`));
    away.ariaDisabled = "false";
  }

  async #attempt(change, reload = true) {
    try {
      await this.#inTurn(change);
      byId("corrected").textContent = "";
      if (reload) await this.#reload();
      else this.#tell("");
    } catch (problem) {
      this.#tell(problem.message);
    }
  }

  #tell(message) {
    byId("hand-problem").textContent = message;
    byId("hand-problem").hidden = !message;
  }
}

async function sample(item, label, version, picture) {
  const { accepted, label: read, glyph } = item;
  return { consent: true, label, read_as: accepted ? read : null, glyph, picture: await base64(picture), model_version: version };
}

async function base64(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ""));
}

/** The glyph as a button: pressed, it shows the picture of the strokes that was kept, or the cut from a photo. */
function withStrokes(glyph, id) {
  const button = element("button", "what"), picture = element("img");
  button.type = "button";
  button.setAttribute("aria-label", `${glyph.getAttribute("aria-label")}: show it as you wrote it`);
  button.setAttribute("aria-pressed", "false");
  picture.alt = "";
  picture.hidden = true;
  button.addEventListener("click", () => {
    picture.src ||= `samples/${id}/picture`; // not before it is wanted
    picture.hidden = !picture.hidden;
    glyph.hidden = !picture.hidden;
    button.setAttribute("aria-pressed", String(glyph.hidden));
  });
  button.append(glyph, picture);
  return button;
}

function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const made = document.createElementNS(space, "svg"), use = document.createElementNS(space, "use");
  use.setAttribute("href", `static/icons.svg#${name}`);
  made.setAttribute("aria-hidden", "true");
  made.append(use);
  return made;
}

function recalled() {
  try { return localStorage.getItem(CONSENT) === "yes"; } catch { return false; } // storage may be forbidden
}

function remember(kept) {
  try { if (kept) localStorage.setItem(CONSENT, "yes"); else localStorage.removeItem(CONSENT); } catch { /* then it is asked anew */ }
}
