// "Learn from my corrections": start it, watch it, see what it brought, take it or go back.

import { keepFocus } from "./focus.js";
import { unbroken } from "./row.js";
import { ask } from "./server.js";

const EVERY = 1000; // milliseconds between two looks at the progress

const NEXT = { learn: "stop", stop: "learn", accept: "back", back: "hand" }; // the buttons, and where whoever pressed them goes on

const byId = (id) => document.getElementById(id);

export class Learning extends EventTarget {
  #n = 0; #state = null; #timer = 0; #busy = false;

  /** Event: `swap`, when another model reads from now on. */
  constructor() {
    super();
    byId("learn").addEventListener("click", () => this.#do("POST", "learning", {}));
    byId("stop").addEventListener("click", () => this.#do("DELETE", "learning"));
    byId("accept").addEventListener("click", () => this.#do("POST", "learning/accept", {}, true));
    byId("back").addEventListener("click", () => this.#do("POST", "learning/undo", {}, true));
    this.#look();
  }

  /** So many corrections are kept. */
  set n(n) { this.#n = n; this.#show(); }

  /** One thing at a time: pressed twice, "Back" would go back two models and delete the one between. */
  async #do(method, path, body, swaps = false) {
    if (this.#busy) return;
    this.#wait(true);
    try {
      await ask(method, path, body);
      if (swaps) this.dispatchEvent(new Event("swap"));
      await this.#look();
    } catch (problem) {
      byId("learning-note").textContent = problem.message;
    }
    this.#wait(false);
  }

  /** Said by aria-disabled: a button that is disabled for a moment would lose the focus for good. */
  #wait(busy) {
    this.#busy = busy;
    for (const id of Object.keys(NEXT)) byId(id).setAttribute("aria-disabled", busy);
  }

  async #look() {
    clearTimeout(this.#timer);
    try {
      this.#state = await ask("GET", "learning");
      this.#show();
    } catch (problem) {
      if (this.#state) byId("learning-note").textContent = problem.message;
    }
    if (this.#state?.state === "running") this.#timer = setTimeout(() => this.#look(), EVERY);
  }

  #show() {
    if (this.#state) keepFocus(() => this.#paint(), byId(NEXT[document.activeElement.id]), byId("hand"));
  }

  #paint() {
    const { state, progress, message, can_undo: canUndo, active } = this.#state, running = state === "running";
    byId("learning").hidden = this.#n === 0 && state === "off" && !canUndo;
    byId("learn-label").textContent = this.#n === 1 ? "Learn from my one correction" : `Learn from my ${this.#n || ""} corrections`;
    byId("learn").hidden = running || state === "off" || this.#n === 0;
    byId("learn").classList.toggle("primary", state !== "done"); // then taking it comes first
    byId("stop").hidden = byId("progress").hidden = !running;
    byId("progress").value = progress ?? 0;
    const learnt = active === "adapted" && !running ? "What was learnt from you reads now." : "";
    byId("learning-note").textContent = unbroken(message || learnt);
    byId("accept").hidden = state !== "done";
    byId("accept").classList.toggle("primary", !this.#gainedNothing); // then nothing speaks for taking it
    byId("back").hidden = !canUndo;
    byId("hand").dataset.active = active ?? "bundled";
    this.#figures(state === "done" || (canUndo && !running));
  }

  /** It was tried, and reads no more of the corrections than before. */
  get #gainedNothing() {
    const { before, after } = this.#state;
    return Boolean(before && after) && after.accuracy <= before.accuracy;
  }

  #figures(wanted) {
    const { before, after, mnist_before: mnistBefore, mnist_after: mnistAfter } = this.#state;
    byId("result").hidden = !wanted || !(after || mnistAfter);
    for (const [id, value] of Object.entries({ before, after, "mnist-before": mnistBefore, "mnist-after": mnistAfter })) {
      byId(id).textContent = share(value);
    }
  }
}

/** A share as the server gives it: a number, or an object with `accuracy` and how many digits it is of. */
function share(value) {
  const accuracy = typeof value === "object" ? value?.accuracy : value;
  if (accuracy === null || accuracy === undefined) return "–";
  return value?.n ? `${Math.round(accuracy * value.n)} of ${value.n}` : `${(100 * accuracy).toFixed(2)} %`.replace("100.00", "100");
}
