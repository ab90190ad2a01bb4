// The pad: pointer and keys become strokes; it shows them, or a photo, and makes pictures of what it shows.

import { blank, encoded } from "./file.js";
import { paint, PEN } from "./strokes.js";

const SENT_SIDE = 640; // pixels of the longer side of a drawing's picture
const STEP = 0.025; // of the pad's shorter side: how far an arrow key moves the pen
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Pad extends EventTarget {
  #canvas; #size = [1, 1]; #first = [1, 1]; #strokes = []; #before = []; #current = null; #pointer = null;
  #pen = null; #penWrites = false; #held = new Set(); #photo = null; #frame = 0;

  /** Events: `change` (what is shown has changed), `pick` (a place of a photo was pressed), `pen` (set down or lifted by key),
   *  `keys` (somebody works it by keys). */
  constructor(canvas) {
    super();
    this.#canvas = canvas;
    new ResizeObserver(() => this.#resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#repaint());
    for (const [name, act] of Object.entries({
      pointerdown: (event) => this.#press(event), pointermove: (event) => this.#move(event),
      pointerup: (event) => this.#release(event), pointercancel: (event) => this.#release(event),
      keydown: (event) => this.#key(event), keyup: (event) => this.#held.delete(event.key), focus: () => this.#arrive(), blur: () => this.#leave(),
    })) canvas.addEventListener(name, act);
  }

  get strokes() { return this.#strokes; }
  /** All strokes, and the one that is being drawn. */
  get shown() { return this.#current ? [...this.#strokes, this.#current] : this.#strokes; }
  get photo() { return this.#photo; }
  get empty() { return !this.#photo && !this.#strokes.length && !this.#current; }
  get drawing() { return this.#current !== null; }
  get canUndo() { return this.#photo !== null || this.drawing || this.#before.length > 0; }
  get pen() { return PEN * Math.min(...this.#first); }
  get size() { return this.#photo ? [this.#photo.width, this.#photo.height] : this.#size; }

  /** From the drawing's (or the photo's) coordinates to the pad's own pixels: {scale, x, y}. */
  get placed() {
    const [width, height] = this.size;
    const { clientWidth, clientHeight } = this.#canvas;
    const scale = Math.min(clientWidth / width, clientHeight / height);
    return { scale, x: (clientWidth - width * scale) / 2, y: (clientHeight - height * scale) / 2 };
  }

  add(stroke) { this.#keep([...this.#strokes, stroke]); }
  clear() {
    this.#pen = this.#current = null; // the stroke under way, too: the rest of it is not drawn
    this.#photo?.close();
    this.#photo = null;
    if (this.#strokes.length) this.#keep([]); // undo brings it back, also from under a photo
    else this.#changed();
  }
  undo() {
    if (this.#photo) return this.show(null);
    if (this.#current) { this.#current = null; return this.#changed(); }
    if (this.#before.length) { this.#strokes = this.#before.pop(); this.#changed(); }
  }
  /** Write a stroke as if by hand, a point every so many milliseconds. False if somebody began to write meanwhile. */
  async trace(stroke, every) {
    if (this.#current || this.#pointer !== null) return false;
    const mine = this.#current = [stroke[0]];
    this.dispatchEvent(new Event("begin"));
    for (const point of stroke.slice(1)) {
      await new Promise((resolve) => setTimeout(resolve, every));
      if (this.#current !== mine) return false;
      mine.push(point);
      this.#repaint();
    }
    this.#finish();
    return true;
  }
  /** Show a photo (an ImageBitmap), or with null the drawing again. */
  show(photo) { this.#photo?.close(); this.#photo = photo; this.#changed(); }

  /** The drawing black on white: {picture: PNG, scale: its pixels for one of the drawing}; of some strokes and a part if given. */
  picture(strokes = this.#strokes, [x, y, width, height] = [0, 0, ...this.#size], side = SENT_SIDE) {
    const scale = Math.min(side / Math.max(width, height), 4);
    const context = blank(width * scale, height * scale);
    context.setTransform(scale, 0, 0, scale, -x * scale, -y * scale);
    paint(context, strokes, this.pen);
    return { picture: encoded(context), scale };
  }

  /** A part of what is shown, as PNG of at most `side` pixels. */
  cut(box, side) {
    if (!this.#photo) {
      const [x, y, width, height] = box, margin = this.pen; // strokes reach beyond their boxes
      return this.picture(this.#strokes, [x - margin, y - margin, width + 2 * margin, height + 2 * margin], side).picture;
    }
    const scale = Math.min(1, side / Math.max(box[2], box[3]));
    const context = blank(box[2] * scale, box[3] * scale);
    context.drawImage(this.#photo, ...box, 0, 0, context.canvas.width, context.canvas.height);
    return encoded(context);
  }

  #keep(strokes) { this.#before.push(this.#strokes); this.#strokes = strokes; this.#changed(); }
  #changed() { this.#repaint(); this.dispatchEvent(new Event("change")); }

  /** A drawing keeps its coordinates: after a turn of the phone the pad shows all of it, and has room in one direction. */
  #resize() {
    const { clientWidth, clientHeight } = this.#canvas;
    if (!clientWidth || !clientHeight) return;
    const fresh = !this.#strokes.length && !this.#current && !this.#before.length;
    if (fresh) this.#first = [clientWidth, clientHeight];
    const points = this.#strokes.flat(), used = (k) => Math.min(this.#size[k], points.reduce((most, p) => Math.max(most, p[k]), 0));
    const needed = this.#first.map((side, k) => (fresh ? side : Math.max(side, used(k))));
    const scale = Math.min(clientWidth / needed[0], clientHeight / needed[1]);
    this.#size = [clientWidth / scale, clientHeight / scale];
    this.#fit();
  }

  #fit() {
    const { clientWidth, clientHeight } = this.#canvas;
    const sharp = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(clientWidth * sharp), Math.round(clientHeight * sharp)];
    if (this.#canvas.width !== width || this.#canvas.height !== height) Object.assign(this.#canvas, { width, height });
    this.#repaint();
    this.dispatchEvent(new Event("fit"));
  }

  #repaint() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      const context = this.#canvas.getContext("2d");
      const sharp = window.devicePixelRatio || 1, { scale, x, y } = this.placed;
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
      context.setTransform(scale * sharp, 0, 0, scale * sharp, x * sharp, y * sharp);
      if (this.#photo) return context.drawImage(this.#photo, 0, 0);
      context.strokeStyle = getComputedStyle(this.#canvas).color;
      paint(context, this.shown, this.pen);
      if (this.#pen) this.#crosshair(context);
    });
  }

  #crosshair(context) {
    const [x, y] = this.#pen, reach = this.pen;
    context.strokeStyle = getComputedStyle(this.#canvas).accentColor;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, y, reach, 0, 2 * Math.PI);
    for (const [dx, dy] of Object.values(ARROWS)) {
      context.moveTo(x + dx * reach * 0.6, y + dy * reach * 0.6);
      context.lineTo(x + dx * reach * 1.7, y + dy * reach * 1.7);
    }
    context.stroke();
  }

  #at(event) {
    const { left, top } = this.#canvas.getBoundingClientRect(), { scale, x, y } = this.placed;
    return [(event.clientX - left - x) / scale, (event.clientY - top - y) / scale];
  }

  #press(event) {
    if (event.button !== 0) return;
    if (this.#pointer !== null) {
      if (event.pointerType !== "pen" || this.#penWrites) return; // a palm beside the pen, a second finger
      this.#current = null; // the palm came down before the pen
    }
    this.#penWrites = event.pointerType === "pen";
    if (this.#photo) return this.dispatchEvent(new CustomEvent("pick", { detail: this.#at(event) }));
    this.#leave();
    this.#pen = null;
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#current = [this.#at(event)];
    this.dispatchEvent(new Event("begin"));
    this.#repaint();
  }

  #move(event) {
    if (event.pointerId !== this.#pointer || !this.#current) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) this.#current.push(this.#at(one));
    this.#repaint();
    this.dispatchEvent(new Event("draw"));
  }

  #release(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.#finish();
  }

  #finish() {
    const stroke = this.#current;
    this.#current = null;
    if (stroke) this.add(stroke);
  }

  /** Whoever comes by keyboard sees where the pen is. */
  #arrive() {
    if (this.#photo || !this.#canvas.matches(":focus-visible")) return;
    this.dispatchEvent(new Event("keys"));
    this.#pen ??= this.#size.map((side) => side / 2);
    this.#repaint();
  }

  #leave() {
    this.#held.clear();
    if (this.#pointer === null) this.#finish();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Delete" || event.key === "Backspace") this.clear();
    else if (this.#photo) return;
    else if (event.key in ARROWS) this.#walk(event);
    else if (event.key === " " || event.key === "Enter") this.#toggle(event);
    else return;
    event.preventDefault();
  }

  #walk(event) {
    this.#held.add(event.key); // two arrows held together draw a slant
    const step = STEP * Math.min(...this.#size) * (event.shiftKey ? 0.2 : 1);
    const [width, height] = this.#size;
    this.#pen ??= [width / 2, height / 2];
    let [x, y] = this.#pen;
    for (const key of this.#held) [x, y] = [x + (ARROWS[key]?.[0] ?? 0) * step, y + (ARROWS[key]?.[1] ?? 0) * step];
    this.#pen = [Math.min(Math.max(x, 0), width), Math.min(Math.max(y, 0), height)];
    this.#current?.push(this.#pen);
    this.#repaint();
    this.dispatchEvent(new Event(this.#current ? "draw" : "begin"));
  }

  #toggle(event) {
    if (event.repeat || this.#pointer !== null) return;
    this.#pen ??= this.#size.map((side) => side / 2);
    if (this.#current) this.#finish();
    else { this.#current = [this.#pen]; this.dispatchEvent(new Event("begin")); }
    this.#repaint();
    this.dispatchEvent(new CustomEvent("pen", { detail: this.#current !== null }));
  }
}
