// What the page asks the server, and how a refusal or silence is put into one plain line.

const PATIENCE = 70_000; // milliseconds until the server counts as gone: it waits 30 s for a picture and works 30 s on it

/** The server refused, or did not answer (code "unreachable"). `again`: seconds after which to ask again, 0 for never. */
export class Refusal extends Error {
  constructor(message, code, again = 0) { super(message); Object.assign(this, { code, again }); }
}

/** Ask; the answer's JSON. `body` is a Blob, or anything else to be sent as JSON. Throws Refusal. */
export async function ask(method, path, body) {
  return (await answered(method, path, body)).json;
}

/** The digits of a picture, with what the network saw of each, and the version of the model: {digits, ..., version};
 *  `noted`: with what there is to say of it, sentences in `notes`. */
export async function read(picture, noted = false) {
  const { json, headers } = await answered("POST", noted ? "read?glyphs=1&notes=1" : "read?glyphs=1", picture);
  if (noted) json.notes = json.notes.map(sentence);
  return { ...json, version: headers.get("x-model-version") };
}

export const classify = (picture) => ask("POST", "classify", picture);
export const explain = ({ glyph, label }) => ask("POST", "explain", { glyph, label });

async function answered(method, path, body) {
  const isBlob = body instanceof Blob;
  const sent = body === undefined || isBlob ? body : JSON.stringify(body);
  const headers = body === undefined || isBlob ? {} : { "content-type": "application/json" };
  let response, json = null;
  try {
    response = await fetch(path, { method, body: sent, headers, signal: AbortSignal.timeout(PATIENCE) });
    const text = await response.text(); // an answer that breaks off is none
    if (text) json = parsed(text);
  } catch {
    throw new Refusal("The server does not answer. Is tenfold serve still running?", "unreachable", 3);
  }
  if (response.ok && (json || response.status === 204)) return { json, headers: response.headers };
  const { code = "refused", message = `the server answered ${response.status}` } = json?.error ?? {};
  const busy = response.status === 429 || response.status === 503;
  throw new Refusal(sentence(message), code, busy ? Number(response.headers.get("retry-after")) || 1 : 0);
}

function parsed(text) {
  try { return JSON.parse(text); } catch { return null; } // a proxy's own page
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}
