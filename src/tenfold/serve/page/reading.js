// From what the pad shows to the digits read on it. Only the page knows strokes, so only here every stroke is accounted for.

import { classify, read } from "./server.js";
import { covered, pieces } from "./strokes.js";

const EXPLAINED = 0.8; // share of a piece's strokes that digits have to cover
const CRUMB = 2.5; // pens: smaller pieces that are no digit are not worth a word
const MOST_PIECES = 6; // looked at one by one
const WORTH_SHOWING = 0.1; // confidence of a refused place of a photo

/** A digit as the page has it: the server's, with `box` in the pad's coordinates; `ink`: the strokes it is made of, null on a
 *  photo; `said`: what its writer says it is, `right`, and the number that this is kept under, `kept`. */
const item = (digit, box, ink = null) => ({ ...digit, box, ink, said: { right: null, kept: null }, get right() { return this.said.right; } });

/** Whether two items are the same ink, though it may have been looked at in another crowd. */
export function same(one, other) {
  if (!one.ink?.length || !other.ink?.length) return one.glyph === other.glyph;
  return one.ink.length === other.ink.length && one.ink.every((stroke) => other.ink.includes(stroke));
}

/** Where an item is among those of a later reading: the same ink, or else some of it; -1 if it is gone. */
export function whereIs(one, later) {
  const at = later.findIndex((other) => same(other, one));
  return at >= 0 ? at : later.findIndex((other) => other.ink?.some((stroke) => one.ink?.includes(stroke)));
}

/** What was said of items, each found by its first stroke or its photo. What is said of an ink is one object, whichever reading
 *  the ink is from: a number under which it is kept may come late. */
export class Sayings {
  #of = new WeakMap();

  /** Share what is said of an item with later readings of it, after Clear and Undo too; `shown`: what it is seen on. */
  remember(one, shown) {
    const place = one.ink?.[0] ?? shown, others = this.#of.get(place) ?? [];
    if (!others.some((other) => other.said === one.said)) this.#of.set(place, [...others, one]);
  }

  recall(one, shown) {
    const before = this.#of.get(one.ink?.[0] ?? shown)?.find((other) => same(other, one));
    if (before) one.said = before.said;
  }
}

/** What a photo shows: {items, confidence, version, notes}. */
export async function readPhoto({ picture, scale }) {
  const { digits, confidence, version, notes } = await read(picture, true);
  const shown = digits.filter((d) => d.accepted || d.confidence >= WORTH_SHOWING);
  return { items: shown.map((d) => item(d, d.box.map((v) => v / scale))), confidence, version, notes };
}

/** What a pad's drawing shows: {items, confidence, version}; a piece that no digit covers is one item that is no digit. */
export async function readDrawing(pad) {
  const { shown: strokes, pen } = pad;
  const { picture, scale } = pad.picture(strokes);
  const found = await read(picture);
  const digits = found.digits.filter((d) => d.accepted).map((d) => written(d, d.box.map((v) => v / scale), strokes, pen));
  const odd = pieces(strokes, pen).filter((piece) => !explained(piece, digits, pen));
  const kept = digits.filter((d) => !odd.some((piece) => within(middle(d.box), piece.box)));
  const others = odd.filter((piece) => Math.max(...piece.box.slice(2)) > CRUMB * pen).slice(0, MOST_PIECES);
  for (const piece of others) kept.push(await alone(pad, piece));
  const placed = kept.filter((d) => d.line !== undefined);
  for (const one of kept) one.line ??= lineOf(one.box, placed);
  kept.sort((a, b) => a.line - b.line || a.box[0] - b.box[0]);
  return { items: kept, confidence: odd.length ? null : found.confidence, version: found.version };
}

/** A piece looked at by itself. */
async function alone(pad, piece) {
  const [x, y, width, height] = piece.box, margin = 0.15 * Math.max(width, height);
  const { picture } = pad.picture(piece.strokes, [x - margin, y - margin, width + 2 * margin, height + 2 * margin], 280);
  return item(await classify(picture), piece.box, piece.strokes);
}

function written(digit, box, strokes, pen) {
  return item(digit, box, strokes.filter((stroke) => covered(stroke, [box], pen / 2) > 0.5));
}

/** Digits cover it, and not more of them than a hand can write with so many strokes. */
function explained(piece, digits, pen) {
  const mine = digits.filter((d) => within(middle(d.box), piece.box));
  return mine.length <= piece.strokes.length + 1 && covered(piece.points, digits.map((d) => d.box), pen / 2) >= EXPLAINED;
}

/** The row of digits that a box stands in; between two, or before the first, if in none. */
function lineOf(box, digits) {
  const beside = digits.find((d) => overlap(d.box, box));
  const above = digits.filter((d) => middle(d.box)[1] < middle(box)[1]).map((d) => d.line);
  return beside?.line ?? Math.max(-1, ...above) + 0.5;
}

const middle = ([x, y, width, height]) => [x + width / 2, y + height / 2];
const within = ([x, y], [left, top, width, height]) => x >= left && x <= left + width && y >= top && y <= top + height;
const overlap = (a, b) => Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]) > 0.3 * Math.min(a[3], b[3]);
