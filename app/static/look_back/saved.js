/**
 * A saved conversation as a file: the server's document, and what the person said as sound.
 *
 * The sounds are put in and taken out here: they never leave the browser. What else a file holds is for the
 * server to judge (`app/record/document.py`).
 */

const [FORMAT, VERSION] = ["attune-conversation", 1];
const LARGEST_SOUNDS = 70 * 2 ** 20;
/** Of all sounds in one file; as text they take a third more. */
const KINDS = /^((audio|video)\/[\w.+-]+(;\s*codecs="?[\w.,-]+"?)?)?$/;

export const LARGEST_FILE = 100 * 2 ** 20;
export const LARGEST_DOCUMENT = 20 * 2 ** 20;

/** The document and, where `sounds` ([place, Blob]) are given, the newest of them that fit, as one Blob. */
export async function pack(saved, sounds) {
  const fitting = newest(sounds);
  const written = await Promise.all(
    fitting.map(async ([exchange, sound]) => ({ exchange, type: sound.type, base64: await toBase64(sound) })),
  );
  const whole = written.length ? { ...saved, sounds: written } : saved;
  return { file: new Blob([JSON.stringify(whole)], { type: "application/json" }), left: sounds.length - fitting.length };
}

/**
 * A file → `saved`, the document as it is for the server (Blob), the `sounds` in it ([place, Blob]), and at a
 * glance whether it `isOurs`.
 */
export async function unpack(file) {
  const parsed = parse(await file.text());
  const isOurs = parsed?.format === FORMAT && parsed.version === VERSION;
  if (!Array.isArray(parsed?.sounds)) return { saved: file, sounds: [], isOurs };
  const { sounds, ...rest } = parsed;
  const saved = new Blob([JSON.stringify(rest)], { type: "application/json" });
  const written = sounds.filter((each) => Number.isInteger(each?.exchange));
  return { saved, isOurs, sounds: written.map((each) => [each.exchange, toSound(each)]).filter(([, sound]) => sound) };
}

function newest(sounds) {
  let size = 0;
  const fitting = [];
  for (const each of [...sounds].reverse()) {
    size += each[1].size;
    if (size > LARGEST_SOUNDS) break;
    fitting.unshift(each);
  }
  return fitting;
}

function parse(written) {
  try {
    return JSON.parse(written);
  } catch {
    // Whatever it is, the server says so.
    return null;
  }
}

function toBase64(sound) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(sound);
  });
}

/** A Blob, or null for what is no sound. */
function toSound({ type, base64 }) {
  if (typeof type !== "string" || !KINDS.test(type) || typeof base64 !== "string") return null;
  try {
    return new Blob([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))], { type });
  } catch {
    return null;
  }
}
