// A canvas to draw on that nobody sees, and what is drawn on it as the content of a file.

/** A white canvas' context, drawing black. */
export function blank(width, height) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: Math.max(1, Math.round(width)), height: Math.max(1, Math.round(height)) });
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.strokeStyle = "black";
  return context;
}

/** What a context has drawn, as a Blob. Not by toBlob: Chromium lets that wait for an idle moment, for up to a second. */
export function encoded({ canvas }, type = "image/png", quality = undefined) {
  return new Blob([bytes(canvas.toDataURL(type, quality).split(",")[1])], { type });
}

/** base64 -> bytes. */
export function bytes(base64) { return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)); }
