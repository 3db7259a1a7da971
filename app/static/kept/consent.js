/**
 * Whether corrections are kept, and where: the person's decision, which stays in this browser.
 *
 * What is saved is up to the server, by the turn's key: its words, what was heard in it, and the correction as it
 * is by then. From here comes the sound alone.
 */
import { forget, keep, recall } from "../store.js";

const KEY = "attune.corrections";

export class Consent {
  /** The decision, or what is known of what is kept, is another. */
  onchange = () => {};
  /** Told a sentence, or a key of the fixed texts, where a correction could not be kept by itself. */
  onproblem = () => {};
  /** What the server said last about what is kept; null before. */
  about = null;
  #server;
  #decision;
  #keys = new Set();
  #work = Promise.resolve();

  constructor(server) {
    this.#server = server;
    this.#decision = recall("local", KEY) ?? {};
  }

  get isGiven() {
    return this.#decision.answer === "given";
  }

  get isRefused() {
    return this.#decision.answer === "refused";
  }

  /** Where corrections go, or went before consent was withdrawn; null before the first. */
  get folder() {
    return this.#decision.folder ?? null;
  }

  get speaker() {
    return this.#decision.speaker ?? "";
  }

  isKept(exchange) {
    return this.#keys.has(exchange.key);
  }

  /** Ask the server anew what is kept. */
  async refresh() {
    this.about = await this.#server.kept(this.folder);
    this.#keys = new Set(this.about.keys);
    this.onchange();
  }

  /** From now on, beginning with that turn. Throws where the folder cannot be used, and nothing is decided. */
  async give(folder, speaker, exchange) {
    const kept = await this.#save(exchange, folder, speaker);
    this.#decide({ answer: "given", folder: kept.folder, speaker });
  }

  /** No, or no more; what was kept before stays where it is. */
  refuse() {
    this.#decide({ ...this.#decision, answer: "refused" });
  }

  /** Ask again at the next correction. */
  reconsider() {
    this.#decide({ ...this.#decision, answer: "" });
  }

  /** As for a new person. */
  reset() {
    forget("local", KEY);
    this.#decision = {};
    this.onchange();
  }

  /** Keep one that was corrected before the consent. */
  async add(exchange) {
    await this.#save(exchange, this.folder, this.speaker);
    this.onchange();
  }

  /** The turn was corrected, otherwise than before, or that was taken back. One after the other. */
  follow(exchange) {
    this.#work = this.#work.then(async () => {
      try {
        if (this.isGiven) await this.#keepUp(exchange);
      } catch (error) {
        this.onproblem(error.message);
      }
    });
  }

  async #keepUp(exchange) {
    await this.refresh();
    const isNew = exchange.hearing.correction && exchange.own;
    if (this.isKept(exchange) || isNew) await this.add(exchange);
  }

  async #save(exchange, folder, speaker) {
    const sound = this.isKept(exchange) ? null : exchange.own;
    const kept = await this.#server.keepCorrection(folder, speaker, exchange.key, sound);
    this.#keys = new Set(kept.keys);
    return kept;
  }

  #decide(decision) {
    this.#decision = decision;
    keep("local", KEY, decision);
    this.onchange();
  }
}
