// Small arrays of numbers shown as pixels: glyphs, evidence, the activations of a layer.

import { bytes } from "./file.js";

const FOR = [255, 140, 50], AGAINST = [70, 140, 255];
const GAP = 1; // pixels between two tiles

/** Show a glyph, 784 bytes in base64, white on black; null shows black. */
export function showGlyph(canvas, glyph) {
  const values = glyph ? bytes(glyph) : new Uint8Array(784);
  fill(canvas, 28, 28, (i) => [values[i], values[i], values[i]]);
}

/** Show a glyph in grey and over it what speaks for its label and what against: signed bytes in base64. */
export function showEvidence(canvas, glyph, evidence) {
  const ink = bytes(glyph), signs = new Int8Array(bytes(evidence).buffer);
  fill(canvas, 28, 28, (i) => {
    const strength = Math.min(1, Math.abs(signs[i]) / 127) ** 0.7, tint = signs[i] > 0 ? FOR : AGAINST;
    return tint.map((t) => 0.45 * ink[i] * (1 - strength) + t * strength);
  });
}

/** Show a layer's maps as tiles beside each other, `columns` in a row; values are bytes with the channel last. */
export function showMaps(canvas, [height, width, n], values, columns, colour) {
  const across = columns * (width + GAP) - GAP, down = Math.ceil(n / columns) * (height + GAP) - GAP;
  fill(canvas, across, down, (i) => {
    const x = i % across, y = Math.floor(i / across);
    const column = Math.floor(x / (width + GAP)), row = Math.floor(y / (height + GAP));
    const [u, v, map] = [x - column * (width + GAP), y - row * (height + GAP), row * columns + column];
    return u >= width || v >= height || map >= n ? null : colour(values[(v * width + u) * n + map]);
  });
}

/** Show the units of a layer as a strip of squares. */
export function showUnits(canvas, values, columns, colour) {
  showMaps(canvas, [1, 1, values.length], values, columns, colour);
}

/** Black over indigo and orange to pale yellow: a byte as brightness, told by hue as well; weak answers are lifted. */
export function glow(value) {
  const stops = [[10, 10, 24], [58, 32, 120], [190, 60, 110], [250, 150, 60], [255, 246, 200]];
  const at = (value / 255) ** 0.6 * (stops.length - 1), k = Math.min(stops.length - 2, Math.floor(at));
  return stops[k].map((from, i) => from + (stops[k + 1][i] - from) * (at - k));
}

function fill(canvas, width, height, colour) {
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    const shade = colour(i);
    if (shade) image.data.set([...shade, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}
