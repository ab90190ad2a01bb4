// A drawing: strokes of points, how they are painted, and which of them belong together. Knows nothing of the page.

export const PEN = 0.05; // of the drawing's shorter side: about as wide beside a digit as MNIST's strokes are

/** Paint strokes, [[x, y], ...] each, as smooth curves of constant width. */
export function paint(context, strokes, width) {
  context.lineWidth = width;
  context.lineCap = context.lineJoin = "round";
  context.fillStyle = context.strokeStyle;
  for (const stroke of strokes) {
    context.beginPath();
    if (stroke.every(([x, y]) => x === stroke[0][0] && y === stroke[0][1])) { // a dot: a line without length paints nothing
      context.arc(...stroke[0], width / 2, 0, 2 * Math.PI);
      context.fill();
      continue;
    }
    context.moveTo(...stroke[0]);
    // Through the middles, with the points as handles: no corner where two events met.
    for (let i = 1; i < stroke.length - 1; i++) {
      const [x, y] = stroke[i];
      const [nextX, nextY] = stroke[i + 1];
      context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    }
    context.lineTo(...stroke.at(-1));
    context.stroke();
  }
}

/** Pieces of ink: strokes that touch each other, as {strokes, points, box: [x, y, width, height]}. */
export function pieces(strokes, pen) {
  const thin = strokes.map((stroke) => spaced(stroke, pen / 2));
  const piece = strokes.map((_, i) => i);
  for (let i = 0; i < strokes.length; i++) {
    for (let j = 0; j < i; j++) {
      if (piece[i] !== piece[j] && touch(thin[i], thin[j], pen)) {
        const [old, kept] = [piece[i], piece[j]];
        piece.forEach((p, k) => { if (p === old) piece[k] = kept; });
      }
    }
  }
  return [...new Set(piece)].map((p) => {
    const members = strokes.filter((_, i) => piece[i] === p);
    const points = thin.filter((_, i) => piece[i] === p).flat();
    return { strokes: members, points, box: around(points, pen / 2) };
  });
}

/** The share of points that lie in some of the boxes, each made a little larger. */
export function covered(points, boxes, slack) {
  const inside = ([x, y]) => boxes.some(([left, top, width, height]) =>
    x >= left - slack && x <= left + width + slack && y >= top - slack && y <= top + height + slack);
  return points.filter(inside).length / points.length;
}

function spaced(stroke, distance) {
  const kept = [stroke[0]];
  for (const point of stroke) if (Math.hypot(point[0] - kept.at(-1)[0], point[1] - kept.at(-1)[1]) >= distance) kept.push(point);
  return kept;
}

function touch(some, others, distance) {
  return some.some(([x, y]) => others.some(([u, v]) => Math.hypot(x - u, y - v) <= distance));
}

function around(points, margin) {
  const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
  const left = Math.min(...xs) - margin, top = Math.min(...ys) - margin;
  return [left, top, Math.max(...xs) + margin - left, Math.max(...ys) + margin - top];
}
