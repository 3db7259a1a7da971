/** Requests to the program: one function per route, and the reader of its event streams. */

const BASE = new URL("attune/", document.baseURI);

/** Thrown with a key of the fixed texts when the server cannot be reached. */
export class Unreachable extends Error {}

/** Thrown with the server's own sentence where it does not do what was asked. */
export class Refused extends Error {}

export function address(path) {
  return new URL(path, BASE);
}

export class Server {
  #id = "";

  /** The secret that names the conversation. */
  get id() {
    return this.#id;
  }

  /** Take up the conversation of this tab, or begin one; its turns so far. */
  async open(saved) {
    const opened = await (await this.#post("conversation", { id: saved })).json();
    this.#id = opened.id;
    return opened;
  }

  /** A recording (Blob) or typed text → the events of the turn, spoken with that voice and speed. */
  async *turn(said, preferences, signal) {
    const body = typeof said === "string" ? { text: said } : said;
    yield* events(await this.#post(`turn?${wishes(preferences)}`, body, signal), signal);
  }

  /** The sound of a past reply once more. */
  async *again(key, preferences) {
    yield* events(await this.#post(`again?${wishes(preferences)}`, { key }));
  }

  /** Stop the turn; resolves to the exchange as it is remembered, or null. */
  async stop(playedS) {
    const response = await this.#post("stop", { played_s: playedS });
    return isJson(response) ? response.json() : null;
  }

  /** "" takes a correction back; resolves to the exchange as it is remembered. */
  async correct(key, label) {
    return this.#answer(await this.#post("correct", { key, label }));
  }

  /** The conversation as a document. */
  async exported() {
    return this.#answer(await this.#post("export", {}));
  }

  /** A document (Blob) → the conversation that takes the place of this one, as `open` gives it. */
  async bringBack(saved) {
    return this.#answer(await this.#post("import", saved));
  }

  /** A page of HTML to look back on the conversation; `theme` is "light", "dark" or "auto". */
  async reflection(theme, day) {
    const response = await this.#post("reflection", { theme, day });
    return response.headers.get("content-type")?.startsWith("text/html") ? response.text() : this.#answer(response);
  }

  async clear() {
    await this.#post("clear", {});
  }

  async forgetVoice() {
    await this.#post("forget-voice", {});
  }

  /** Whether corrections may be kept in a folder, and which turns of this conversation are in that one, or null. */
  async corrections(folder) {
    return this.#answer(await this.#post("corrections", { folder }));
  }

  /** What is kept outside of this browser; `folder` is where corrections go, or null. */
  async kept(folder) {
    return this.#answer(await this.#post("kept", { folder }));
  }

  /** Erase those of what is kept; resolves to a sentence for each that could not be. */
  async erase(ids, folder) {
    const { problems } = await this.#answer(await this.#post("kept/erase", { ids, folder }));
    return problems;
  }

  /** Keep the correction of that turn, or take it back; `sound` (Blob) or null for one that is kept already. */
  async keepCorrection(folder, speaker, key, sound) {
    const body = [JSON.stringify({ folder, speaker, key }), "\n", ...(sound ? [sound] : [])];
    return this.#answer(await this.#post("corrections/save", new Blob(body)));
  }

  /** Of the turn of that key, which may be gone, nothing stays in the folder. */
  async removeCorrection(folder, key) {
    return this.#answer(await this.#post("corrections/remove", { folder, key }));
  }

  /** Corrections as a zip (Blob); `sounds` are [key, Blob]. */
  async packCorrections(speaker, sounds) {
    const sizes = Object.fromEntries(sounds.map(([key, { size }]) => [key, size]));
    const body = [JSON.stringify({ speaker, sizes }), "\n", ...sounds.map(([, sound]) => sound)];
    const response = await this.#post("corrections/archive", new Blob(body));
    return response.headers.get("content-type") === "application/zip" ? response.blob() : this.#answer(response);
  }

  async *status() {
    yield* events(await reach(address("status")));
  }

  async *choose(choice) {
    yield* events(await this.#post("engine", choice));
  }

  /** What was asked for; the server tells problems as an event. */
  async #answer(response) {
    if (isJson(response)) return response.json();
    for await (const { message } of events(response)) throw new Refused(message);
    throw new Unreachable("brokeOff");
  }

  #post(path, body, signal) {
    const isSound = body instanceof Blob;
    const headers = { "X-Attune-Conversation": this.#id };
    if (!isSound) headers["Content-Type"] = "application/json";
    return reach(address(path), { method: "POST", headers, signal, body: isSound ? body : JSON.stringify(body) });
  }
}

async function reach(url, options) {
  try {
    const response = await fetch(url, options);
    if (response.ok) return response;
  } catch (error) {
    if (error.name === "AbortError") throw error;
  }
  throw new Unreachable("unreachable");
}

/** Server-sent events of a response; EventSource cannot read the answer to a POST. */
async function* events(response, signal) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await read(reader, signal);
    if (done) return;
    const parts = (buffer + value).split("\n\n");
    buffer = parts.pop();
    for (const part of parts) yield JSON.parse(part.slice("data: ".length));
  }
}

async function read(reader, signal) {
  try {
    return await reader.read();
  } catch (error) {
    throw signal?.aborted ? error : new Unreachable("brokeOff");
  }
}

function wishes({ voice, speed }) {
  return new URLSearchParams({ voice, speed });
}

function isJson(response) {
  return response.headers.get("content-type")?.startsWith("application/json");
}
