// The page: what is on the pad is read, shown, explained and corrected. Each part stands in a module of its own.

import { Corrections } from "./corrections.js";
import { DigitPanel } from "./digit.js";
import { writeExample } from "./example.js";
import { keepFocus } from "./focus.js";
import { Latest } from "./latest.js";
import { Learning } from "./learning.js";
import { Pad } from "./pad.js";
import { listen, opened, turned } from "./photo.js";
import { readDrawing, readPhoto, same, Sayings, whereIs } from "./reading.js";
import { named, percent, Row, unbroken } from "./row.js";
import { Thinking } from "./thinking.js";

const PAUSE = 150; // milliseconds without a change before it is read
const SPEAK = 900; // milliseconds without a change before it is spoken

const byId = (id) => document.getElementById(id);

const pad = new Pad(byId("pad"));
const row = new Row(byId("digits"), byId("boxes"), choose);
const panel = new DigitPanel(correct);
const thinking = new Thinking();
const corrections = new Corrections();
const learning = new Learning();
const sayings = new Sayings();
const reader = new Latest((photo) => (photo ? readPhoto(photo) : readDrawing(pad)), show, failed, PAUSE);

let items = [], blank = false, chosen = -1, version = null, sent = null, shown = null, looked = null, speaking = 0, taken = 0;

pad.addEventListener("begin", begun);
pad.addEventListener("draw", drawing);
pad.addEventListener("change", changed);
pad.addEventListener("fit", () => row.place(items, chosen, pad.placed));
pad.addEventListener("pick", (event) => pick(event.detail));
pad.addEventListener("keys", () => byId("paper").classList.add("keys"));
pad.addEventListener("pen", (event) => say(event.detail ? "Pen down" : "Pen up"));
corrections.addEventListener("change", () => { learning.n = corrections.n; });
learning.addEventListener("swap", swapped);
byId("undo").addEventListener("click", () => pad.undo());
byId("clear").addEventListener("click", () => pad.clear());
byId("turn").addEventListener("click", turn);
byId("example").addEventListener("click", () => writeExample(pad));
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea, dialog");
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z" && !typing) {
    event.preventDefault();
    pad.undo();
  }
});
listen(take);
thinking.show(null, version);
invite();

/** A picture was handed in. What comes before it is open overtakes it: another picture, a stroke, Clear. */
async function take(file) {
  const at = ++taken;
  tell("");
  try {
    const { photo, picture, scale } = await opened(file);
    if (at !== taken) return photo.close();
    sent = { picture, scale };
    pad.show(photo);
  } catch {
    if (at !== taken) return;
    const there = pad.empty ? "" : ` The pad still shows ${pad.photo ? "the picture before" : "your drawing"}.`;
    tell(`This file is not a picture that the browser can show. PNG and JPEG always work.${there}`);
  }
}

/** Not again until the turned photo is shown: the same one would be turned. */
async function turn({ currentTarget: button }) {
  if (button.ariaDisabled === "true" || !pad.photo) return;
  button.ariaDisabled = "true"; // disabled, it would lose the focus
  await take(turned(pad.photo));
  button.ariaDisabled = "false";
}

/** A stroke begins, or the pen moves above the pad. */
function begun() {
  if (pad.drawing) taken++;
  invite();
}

/** The pad shows something else. */
function changed() {
  taken++;
  if (!pad.photo) sent = null;
  byId("paper").dataset.mode = pad.photo ? "photo" : "draw";
  byId("paper").style.setProperty("--shape", pad.photo ? `${pad.photo.width} / ${pad.photo.height}` : "");
  invite();
  if (pad.photo !== shown) forget();
  if (pad.empty) { reader.drop(); show({ items: [], confidence: null, version }); tell(""); }
  else reader.ask(sent);
}

/** What was read stands for another picture: a correction would mix the two. */
function forget() {
  shown = pad.photo;
  items = [];
  blank = false;
  choose(-1);
  byId("summary").textContent = "";
}

/** A stroke grows: it is read once it rests, though the pen has not left the pad. */
function drawing() {
  if (pad.strokes.length === 0) invite();
  reader.ask(null);
}

function invite() {
  byId("paper").classList.toggle("empty", pad.empty);
  keepFocus(() => {
    byId("undo").disabled = !pad.canUndo;
    byId("clear").disabled = pad.empty;
    byId("turn").hidden = !pad.photo;
  }, byId("pad"));
}

/** It was read. */
function show(reading) {
  if (!pad.empty) tell("");
  for (const one of reading.items) sayings.recall(one, pad.photo ?? pad); // it stays while others are written beside it
  const next = following(reading.items);
  ({ items, version } = reading);
  blank = !items.length && !pad.empty;
  byId("summary").textContent = summary(reading);
  choose(next);
  say(pad.empty ? "" : spoken(reading));
}

/** Which of the items just read is chosen: the one that was, unless another was written after it. */
function following(fresh) {
  const last = fresh.length - 1, there = items[chosen] ? whereIs(items[chosen], fresh) : -1;
  if (pad.photo) return Math.min(Math.max(there, 0), last);
  const grew = fresh.length > items.length && chosen === items.length - 1;
  return there < 0 || grew ? last : there; // the last was written last, most likely
}

function failed(problem, what) {
  tell(problem.message);
  if (problem.again) reader.ask(what, 1000 * problem.again);
}

function choose(i) {
  chosen = i;
  const item = items[i] ?? null, stays = item && looked && same(item, looked);
  looked = item;
  keepFocus(() => {
    row.show(items, chosen, pad.placed);
    panel.show(item, blank);
  }, byId("pad"));
  if (!stays) byId("corrected").textContent = "";
  thinking.show(item, version);
}

function pick(place) {
  const inside = ([left, top, width, height]) => place[0] >= left && place[0] <= left + width && place[1] >= top && place[1] <= top + height;
  const i = items.findIndex((item) => inside(item.box));
  if (i >= 0) choose(i);
}

/** A person says which digit the chosen one is. */
async function correct(label) {
  const item = items[chosen];
  item.said.right = label;
  sayings.remember(item, pad.photo ?? pad);
  choose(chosen);
  byId("summary").textContent = byId("corrected").textContent = ""; // they were about what had been read and said
  try {
    byId("corrected").textContent = await corrections.keep(item, label, version, (box, side) => pad.cut(box, side));
  } catch (problem) {
    byId("corrected").textContent = problem.message;
  }
}

/** Another model reads from now on; what was kept was said of the one before. */
function swapped() {
  byId("corrected").textContent = "";
  reader.ask(sent);
}

function summary({ items: found, confidence, notes = [] }) {
  if (pad.empty) return "";
  if (notes.length) return unbroken(notes.join(" "));
  if (!found.length) return "No digits found.";
  const refused = found.filter((item) => !item.accepted).length;
  if (refused) return `${refused === 1 ? "One piece is" : `${refused} pieces are`} not a digit.`;
  if (found.length < 2 || confidence === null || found.some((item) => item.right !== null)) return "";
  const all = found.length === 2 ? "Both" : `All ${found.length}`;
  return `${all} together: ${percent(confidence)} sure.`;
}

function spoken(reading) {
  return reading.items.length ? `Read: ${reading.items.map(named).join(", ")}. ${summary(reading)}` : summary(reading);
}

function say(text) {
  clearTimeout(speaking);
  speaking = setTimeout(() => { byId("spoken").textContent = text; }, SPEAK);
}

function tell(message) {
  byId("problem").textContent = message;
  byId("problem").hidden = !message;
}
