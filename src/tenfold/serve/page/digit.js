// The chosen digit: what the network saw of it, ten bars, and ten keys to say which digit it is.

import { showGlyph } from "./pixels.js";
import { aDigit, element, named, percent } from "./row.js";

const DOUBTFUL = 0.985; // that it is a digit: less is said

const byId = (id) => document.getElementById(id);

export class DigitPanel {
  #keys; #bars;

  /** `correct(label)` is called when a person says which digit it is. */
  constructor(correct) {
    const columns = [...Array(10).keys()].map((label) => this.#column(label, correct));
    this.#bars = columns.map((c) => c.querySelector("i"));
    this.#keys = columns.map((c) => c.querySelector("button"));
    byId("bars").replaceChildren(...columns);
    this.show(null);
  }

  /** Show an item; null if there is none. `blank`: what is on the pad was read, and holds none. */
  show(item, blank = false) {
    const glyph = byId("glyph");
    showGlyph(glyph, item?.glyph);
    glyph.setAttribute("aria-label", item ? `What the network sees: ${named(item)}, 28 by 28 pixels` : "Nothing to see yet");
    byId("digit").classList.toggle("refused", item !== null && !item.accepted && item.right === null);
    byId("digit").classList.toggle("none", item === null);
    byId("digit-title").textContent = item ? title(item) : blank ? "No digits found" : "Nothing read yet";
    byId("digit-note").textContent = note(item);
    this.#keys.forEach((key, label) => this.#fill(label, key, item));
  }

  #column(label, correct) {
    const column = element("li"), bar = element("span", "bar"), key = element("button", "", label);
    column.append(element("span", "share"), bar, key);
    column.firstChild.ariaHidden = "true";
    bar.ariaHidden = "true";
    bar.append(element("i"));
    key.type = "button";
    key.addEventListener("click", () => correct(label));
    return column;
  }

  #fill(label, key, item) {
    const share = item?.probabilities[label] ?? 0, column = key.parentElement;
    this.#bars[label].style.height = `${100 * share}%`;
    column.firstChild.textContent = share >= 0.005 ? percent(share).replace("\u00a0", "\u202f") : "";
    column.classList.toggle("top", item !== null && item.label === label);
    key.disabled = item === null;
    key.setAttribute("aria-pressed", item !== null && item.right === label);
    key.setAttribute("aria-label", item ? `It is ${aDigit(label)}. The network says ${percent(share)}` : `${label}`);
  }
}

function title(item) {
  if (item.right !== null) return item.right === item.label && item.accepted ? `Yes, ${aDigit(item.right)}` : `You say: ${aDigit(item.right)}`;
  return item.accepted ? `${aDigit(item.label).replace("a", "A")}, ${percent(item.confidence)} sure` : "Not a digit";
}

function note(item) {
  if (!item) return "The network looks at one digit at a time, as 28 × 28 pixels. Here you see what it sees.";
  if (!item.accepted) return "A second network judges that this is no digit. If it had to be one, the bars say which.";
  const [first, second] = [...item.probabilities].sort((a, b) => b - a);
  const reads = item.right === null || item.right === item.label ? "" : ` It reads ${aDigit(item.label)}, ${percent(item.confidence)} sure.`;
  const seen = `This is what the network sees of it: 28 × 28 pixels.${reads}`;
  const isOne = Math.min(1, item.confidence / first); // the bars say which digit, if it is one
  const doubt = isOne < DOUBTFUL ? ` That it is a digit at all: ${percent(isOne)}.` : "";
  if (second < 0.02) return `${seen} Nothing else comes close.${doubt}`;
  const other = item.probabilities.indexOf(second);
  return `${seen} ${first < 0.6 ? "It wavers" : "Its second thought"}: ${other}, ${percent(second)}.${doubt}`;
}
