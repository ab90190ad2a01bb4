// The digits read, as a row to choose from, and their boxes on the pad.

/** "98 %"; never 100 or 0 for what is only nearly so. */
export function percent(share) {
  const rounded = Math.round(100 * share);
  if (rounded === 100 && share < 1) return unbroken(share > 0.999 ? "99.9 %" : `${Math.floor(1000 * share) / 10} %`);
  return unbroken(rounded === 0 && share > 0 ? "<\u00a01 %" : `${rounded} %`);
}

/** A text whose percent signs never fall on another line than their numbers. */
export const unbroken = (text) => text.replaceAll(" %", "\u00a0%");

/** "a 7", "an 8". */
export const aDigit = (label) => `${label === 8 ? "an" : "a"} ${label}`;

/** What an item is in words: its label, what its writer says, or that it is none. */
export function named(item) {
  if (item.right !== null) return `${item.right}`;
  return item.accepted ? `${item.label}` : "not a digit";
}

const MANY = 8; // digits; more are shown smaller, with less beside them
const UNSURE = 0.9; // confidence under which a digit is marked
const ROOM = 34; // pixels; over lower boxes only the chosen one has its label, or labels would hide ink

export class Row {
  #row; #boxes; #choose;

  /** `choose(i)` is called when a person picks the digit of that index. */
  constructor(row, boxes, choose) {
    [this.#row, this.#boxes, this.#choose] = [row, boxes, choose];
    row.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Show the items, the one of index `chosen` as chosen, placed as the pad says. */
  show(items, chosen, placed) {
    const focused = this.#row.contains(document.activeElement);
    this.#row.classList.toggle("many", items.length > MANY);
    const lines = [...new Set(items.map((item) => item.line))].map((line) => {
      const made = element("div", "line");
      made.append(...items.flatMap((item, i) => (item.line === line ? [this.#tile(item, i, i === chosen)] : [])));
      return made;
    });
    this.#row.replaceChildren(...lines);
    if (focused) this.#row.querySelector("[aria-checked=true]")?.focus();
    this.place(items, chosen, placed);
  }

  /** Draw the boxes where the items lie. */
  place(items, chosen, { scale, x, y }) {
    this.#boxes.replaceChildren(...items.map((item, i) => {
      const [left, top, width, height] = item.box.map((v) => v * scale);
      const box = element("div", "box");
      box.classList.toggle("refused", !item.accepted && item.right === null);
      box.classList.toggle("chosen", i === chosen);
      box.classList.toggle("low", height < ROOM);
      Object.assign(box.style, { left: `${left + x}px`, top: `${top + y}px`, width: `${width}px`, height: `${height}px` });
      box.append(element("span", "", item.right ?? (item.accepted ? item.label : "?")));
      return box;
    }));
  }

  #tile(item, i, chosen) {
    const tile = element("button", "tile");
    tile.type = "button";
    tile.setAttribute("role", "radio");
    tile.setAttribute("aria-checked", chosen);
    tile.tabIndex = chosen ? 0 : -1;
    const sure = item.right !== null ? "as you say" : item.accepted ? percent(item.confidence) : "no digit";
    tile.setAttribute("aria-label", item.accepted || item.right !== null ? `${named(item)}, ${sure}` : "not a digit");
    tile.classList.toggle("refused", !item.accepted && item.right === null);
    tile.classList.toggle("unsure", item.accepted && item.right === null && item.confidence < UNSURE);
    tile.append(element("b", "", item.right ?? (item.accepted ? item.label : "?")), element("small", "", sure));
    tile.addEventListener("click", () => this.#choose(i));
    return tile;
  }

  #key(event) {
    const tiles = [...this.#row.querySelectorAll(".tile")], at = tiles.indexOf(document.activeElement);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const to = step ? (at + step + tiles.length) % tiles.length : { Home: 0, End: tiles.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    this.#choose(to);
  }
}

/** An element with a class and a text. */
export function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}
