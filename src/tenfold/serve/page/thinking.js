// See it think: the layers of the network for the chosen digit, and which pixels speak for the answer.

import { bytes } from "./file.js";
import { Latest } from "./latest.js";
import { glow, showEvidence, showMaps, showUnits } from "./pixels.js";
import { aDigit, element } from "./row.js";
import { explain } from "./server.js";

const MAPS = [
  "Each tile is a detector, slid over the whole picture. It shines where it finds its kind of edge or stroke.",
  "Each tile weighs all tiles before it: edges that meet become corners and bends.",
  "Bends and corners that meet become loops, hooks, crossings.",
  "Here words begin to fail: each tile is a mixture that helped to tell digits apart.",
];

const FEW = 5; // steps that fit beside each other

const byId = (id) => document.getElementById(id);

export class Thinking {
  #latest = new Latest(explain, (answer, asked) => this.#show(answer, asked), (problem, asked) => this.#failed(problem, asked), 60);
  #shown = "";

  constructor() {
    new ResizeObserver(() => this.#reachable()).observe(byId("layers"));
  }

  /** Show what happens to an item's glyph in the model of this version; null clears. */
  show(item, version) {
    const key = item ? `${item.glyph} ${item.label} ${item.accepted} ${version}` : null;
    if (key === this.#shown) return;
    this.#shown = key;
    if (item) this.#latest.ask({ glyph: item.glyph, label: item.label, accepted: item.accepted });
    else { this.#latest.drop(); this.#quiet(); }
  }

  #failed(problem, asked) {
    this.#quiet(problem.message);
    if (problem.again) this.#latest.ask(asked, 1000 * problem.again);
    else this.#shown = "";
  }

  #quiet(message = "Write a digit, and its way through the network appears here.") {
    byId("layers").replaceChildren(element("p", "empty", message));
    byId("layers-none").hidden = true;
  }

  #show(answer, { glyph, label, accepted }) {
    const { layers } = answer;
    byId("layers-none").hidden = layers.length > 0;
    const steps = [seen(glyph), ...layers.map((layer, k) => step(layer, k, layers)), votes(answer, label), evidence(glyph, label, accepted, answer)];
    byId("layers").replaceChildren(...steps);
    byId("layers").classList.toggle("few", steps.length <= FEW);
    byId("layers").dataset.label = label;
    this.#reachable();
  }

  /** Where the layers stand in one row that scrolls, as on a phone, the keyboard can scroll it. */
  #reachable() {
    const layers = byId("layers");
    if (layers.scrollWidth > layers.clientWidth) layers.tabIndex = 0;
    else layers.removeAttribute("tabindex");
  }
}

function seen(glyph) {
  const values = bytes(glyph);
  return figure("784 pixels", "The digit, made 28 × 28. Each pixel is a number: 0 is paper, 255 is ink.", (canvas) => {
    showMaps(canvas, [28, 28, 1], values, 1, (v) => [v, v, v]);
  }, "The glyph, 28 by 28 pixels");
}

function step(layer, k, layers) {
  const values = bytes(layer.values);
  if (layer.kind === "units") {
    const [n] = layer.shape;
    return figure(`Layer ${k + 1}: ${n} units`, unitsText(k, layers), (canvas) => showUnits(canvas, values, Math.ceil(Math.sqrt(n)), glow),
      `How active each of the ${n} units of layer ${k + 1} is`);
  }
  const [height, width, n] = layer.shape;
  return figure(`Layer ${k + 1}: ${n} maps`, mapsText(k, layers, width, height), (canvas) => showMaps(canvas, layer.shape, values, Math.ceil(Math.sqrt(n)), glow),
    `The ${n} feature maps of layer ${k + 1}, ${width} by ${height} pixels each`);
}

/** What a layer of maps does, in words as far as they go. */
function mapsText(k, layers, width, height) {
  const last = k > 0 && k === layers.findLastIndex((layer) => layer.kind === "maps");
  const smaller = k > 0 && layers[k - 1].shape[1] > width;
  const text = last ? "Few still shine. What is left is what sets this digit apart from the others." : MAPS[Math.min(k, MAPS.length - 1)];
  return `${smaller ? `Seen from further away, ${width} × ${height}. ` : ""}${text}`;
}

function unitsText(k, layers) {
  if (k === 0) return "Each square asks one question of all 784 pixels at once. The brighter, the more its answer is yes.";
  return layers[k - 1].kind === "units" ? "Each square weighs all squares before it." : "Each square weighs what all the maps have found.";
}

/** The answer of this network, which is one of four that were asked for the digit's `label`. */
function votes({ probabilities, label: own }, label) {
  const list = element("ol", "votes");
  list.setAttribute("aria-hidden", "true");
  probabilities.forEach((share, k) => {
    const item = element("li", k === own ? "top" : "", k);
    item.style.setProperty("--share", share);
    list.append(item);
  });
  const others = own === label ? "" : ` This network alone says ${own}. The answer at the top, ${label}, also weighs others, which look at what stands around the digit.`;
  const made = figure("Ten answers", `All evidence is added up, once for each digit. The largest sum wins; how far it leads says how sure it is.${others}`, null, "");
  made.prepend(list);
  return made;
}

function evidence(glyph, label, accepted, { evidence: signs }) {
  const asked = accepted ? `Why ${aDigit(label)}?` : `What of it looks like ${aDigit(label)}?`; // a refused one is none
  const made = figure(asked, "Small patches of ink are wiped out, one after the other. Where the answer suffers, the ink ", (canvas) => showEvidence(canvas, glyph, signs),
    `Where the pixels speak for or against ${aDigit(label)}`);
  made.querySelector("figcaption p").append(
    element("span", "for", `speaks for ${label}`), ", where it gains, it ", element("span", "against", "speaks against"), ".");
  return made;
}

function figure(title, text, draw, alternative) {
  const made = element("figure");
  if (draw) {
    const canvas = element("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", alternative);
    draw(canvas);
    made.append(canvas);
  }
  const caption = element("figcaption");
  caption.append(element("h3", "", title), element("p", "", text));
  made.append(caption);
  return made;
}
