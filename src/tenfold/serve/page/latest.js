// One job at a time, and only the newest: what came in meanwhile replaces what waits, and an overtaken answer is dropped.

export class Latest {
  #work; #done; #failed; #delay; #waiting = null; #busy = false; #timer = 0; #turn = 0;

  /** `work(what)` is async; `done(answer, what)` or `failed(problem, what)` follows unless something newer was asked. */
  constructor(work, done, failed, delay = 0) {
    [this.#work, this.#done, this.#failed, this.#delay] = [work, done, failed, delay];
  }

  /** Ask for it, `delay` milliseconds from now; asked again sooner, the clock starts anew. */
  ask(what, delay = this.#delay) {
    this.#turn++;
    this.#waiting = { what };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#next(), delay);
  }

  /** Forget what waits and what is under way. */
  drop() {
    this.#turn++;
    this.#waiting = null;
    clearTimeout(this.#timer);
  }

  async #next() {
    if (this.#busy || !this.#waiting) return;
    const { what } = this.#waiting, turn = this.#turn;
    this.#waiting = null;
    this.#busy = true;
    const [settle, outcome] = await this.#work(what).then((answer) => [this.#done, answer], (problem) => [this.#failed, problem]);
    this.#busy = false;
    if (turn === this.#turn) settle(outcome, what);
    else if (this.#waiting) this.#next();
  }
}
