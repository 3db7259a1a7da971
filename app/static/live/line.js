/** The socket of a hands-free talk: opens within three seconds or not at all, and comes back when it is cut. */
import { address } from "../server.js";
import { OwnSound } from "./own_sound.js";

const OPEN_WITHIN_MS = 3000;
const AGAIN_AFTER_MS = [300, 1000, 2000, 4000, 8000];
const FINAL = 4000;
/** From this code on the server means it: refused, or taken over by another window. */

/** Thrown when no socket can be had here. */
export class Blocked extends Error {}

/** Thrown with the server's own sentence when there is one, and it wants no talk. */
export class Refused extends Error {}

export class Line {
  /** An event (object); sound comes as Int16Array. */
  onevent = () => {};
  onsound = () => {};
  /** The connection is cut, and being sought again; then either of the others. */
  onlost = () => {};
  onback = () => {};
  /** For good; with the server's last sentence, "" when it has been told before, or null. */
  onend = () => {};
  /** The person's sound, since the connection that there is was opened. */
  sent = new OwnSound();
  #begin;
  #socket = null;
  #isClosed = false;

  /** `begin()` gives the first message. */
  constructor(begin) {
    this.#begin = begin;
  }

  /** Resolves to the server's first answer. Throws `Blocked` or `Refused`. */
  async open() {
    const socket = new WebSocket(Object.assign(address("live"), { protocol: location.protocol.replace("http", "ws") }));
    socket.binaryType = "arraybuffer";
    const first = await new Promise((resolve, reject) => {
      setTimeout(() => reject(new Blocked()), OPEN_WITHIN_MS);
      socket.onopen = () => socket.send(JSON.stringify({ type: "attune.begin", ...this.#begin() }));
      socket.onmessage = ({ data }) => settle(JSON.parse(data), resolve, reject);
      socket.onclose = socket.onerror = () => reject(new Blocked());
    }).catch((error) => {
      socket.onclose = null;
      socket.close();
      throw error;
    });
    if (this.#isClosed) {
      socket.close();
      throw new Blocked();
    }
    this.#socket = socket;
    this.sent = new OwnSound();
    socket.onmessage = ({ data }) => this.#take(data);
    socket.onclose = ({ code }) => this.#closed(code);
    return first;
  }

  send(type, fields = {}) {
    if (this.isOpen) this.#socket.send(JSON.stringify({ type, ...fields }));
  }

  sendSound(pcm) {
    if (!this.isOpen) return;
    this.#socket.send(pcm);
    this.sent.push(pcm);
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  close() {
    this.#isClosed = true;
    if (this.#socket) this.#socket.onclose = this.#socket.onmessage = null;
    this.#socket?.close();
  }

  #take(data) {
    if (typeof data === "string") this.onevent(JSON.parse(data));
    else this.onsound(new Int16Array(data));
  }

  async #closed(code) {
    if (code >= FINAL) return this.onend("");
    this.onlost();
    for (const wait of AGAIN_AFTER_MS) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      try {
        return this.onback(await this.open());
      } catch (error) {
        if (this.#isClosed) return null;
        if (error instanceof Refused) return this.onend(error.message);
      }
    }
    return this.onend(null);
  }
}

function settle(first, resolve, reject) {
  if (first.type === "attune.begun") resolve(first);
  else reject(new Refused(first.message));
}
