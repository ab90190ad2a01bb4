// Strokes of two digits, for whoever wants to see it work before writing.

const SEVEN = [[[0, 0.06], [0.3, 0.03], [0.66, 0], [0.52, 0.3], [0.4, 0.6], [0.3, 1]]];
const THREE = [[[0.04, 0.16], [0.16, 0.03], [0.34, 0], [0.53, 0.08], [0.56, 0.25], [0.42, 0.4], [0.24, 0.46], [0.46, 0.5], [0.62, 0.66],
  [0.58, 0.86], [0.38, 0.99], [0.16, 0.98], [0, 0.86]]];
const FRAME = 16; // milliseconds between two points

/** Write them on the pad, stroke by stroke; at once if motion is unwelcome. */
export async function writeExample(pad) {
  pad.clear();
  const [width, height] = pad.size, size = Math.min(0.62 * height, 0.42 * width);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  for (const [digit, centre] of [[SEVEN, 0.3], [THREE, 0.68]]) {
    for (const stroke of digit) {
      const placed = rounded(stroke).map(([x, y]) => [centre * width + (x - 0.32) * size, (height - size) / 2 + y * size]);
      if (still) pad.add(placed);
      else if (!await pad.trace(placed, FRAME)) return;
    }
  }
}

/** A Catmull-Rom curve through the points. */
function rounded(points) {
  const made = [];
  for (let i = 0; i < points.length - 1; i++) {
    const [a, b, c, d] = [points[Math.max(0, i - 1)], points[i], points[i + 1], points[Math.min(points.length - 1, i + 2)]];
    for (let t = 0; t < 1; t += 0.2) {
      made.push([0, 1].map((k) => 0.5 * (2 * b[k] + (c[k] - a[k]) * t + (2 * a[k] - 5 * b[k] + 4 * c[k] - d[k]) * t * t
        + (3 * b[k] - a[k] - 3 * c[k] + d[k]) * t ** 3)));
    }
  }
  return [...made, points.at(-1)];
}
