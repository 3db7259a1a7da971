/**
 * Whether corrections are kept, and where: the person's decision, which stays in this browser.
 *
 * What is saved is up to the server, by the turn's key: its words, what was heard in it, and the correction as it
 * is by then. From here comes the sound alone. Saving and erasing go one after the other, and the decision is read
 * anew at each use: another tab may have changed it meanwhile.
 */
import { forget, keep, recall } from "../store.js";

const KEY = "attune.corrections";

export class Consent {
  /** The decision, or what is known of what is kept, is another. */
  onchange = () => {};
  /** Told a sentence, or a key of the fixed texts, where a correction could not be kept by itself. */
  onproblem = () => {};
  /** Whether the server is this very computer, and the folder it suggests; null before it said so. */
  about = null;
  #server;
  #keys = new Set();
  #work = Promise.resolve();
  /** The exchanges that are about to be saved. */
  #pending = new Set();
  /** The decision, where the browser keeps nothing. */
  #unkept = null;

  constructor(server) {
    this.#server = server;
    // A key of null: all was erased.
    window.addEventListener("storage", ({ key }) => [KEY, null].includes(key) && this.onchange());
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

  isPending(exchange) {
    return this.#pending.has(exchange);
  }

  /** Ask the server anew what is kept. */
  async refresh() {
    const before = this.#keys;
    this.about = await this.#server.corrections(this.folder);
    // What was saved or removed meanwhile is newer than this answer.
    if (this.#keys === before) this.#keys = new Set(this.about.keys);
    this.onchange();
  }

  /**
   * From now on, beginning with that turn. Throws where the folder cannot be used, and nothing is decided; nor is
   * anything decided or kept once `signal` says that the person thought better of it.
   */
  give(folder, speaker, exchange, signal) {
    return this.#then(exchange, async () => {
      const { key } = exchange;
      const kept = await this.#save(exchange, folder, speaker);
      if (!signal.aborted) return this.#decide({ answer: "given", folder: kept.folder, speaker });
      return this.#remove(kept.folder, key).catch((error) => this.onproblem(error.message));
    });
  }

  /** No, or no more, which counts at once; what was kept before stays. Resolves when nothing is being saved. */
  refuse() {
    this.#decide({ ...this.#decision, answer: "refused" });
    return this.#work;
  }

  /** Ask again at the next correction. */
  reconsider() {
    this.#decide({ ...this.#decision, answer: "" });
  }

  /** As for a new person. */
  reset() {
    forget("local", KEY);
    this.#unkept = null;
    this.onchange();
  }

  /** Erase those of what is kept outside of this browser; resolves to a sentence for each that could not be. */
  erase(ids) {
    return this.#then(null, () => this.#server.erase(ids, this.folder));
  }

  /** Keep one that was corrected before the consent. */
  add(exchange) {
    return this.#then(exchange, () => this.#keep(exchange));
  }

  /** The turn was corrected, otherwise than before, or that was taken back. */
  follow(exchange) {
    this.#told(this.#then(exchange, () => this.#keepUp(exchange)));
  }

  /** The turn of that key went on and is another by now: what was kept of it goes. */
  drop(key) {
    this.#told(this.#then(null, async () => this.isGiven && this.#remove(this.folder, key)));
  }

  async #keepUp(exchange) {
    if (!this.isGiven) return;
    await this.refresh();
    const isNew = exchange.hearing.correction && exchange.own;
    if (this.isKept(exchange) || isNew) await this.#keep(exchange);
  }

  /** In the folder that was agreed to; not where that is withdrawn before it is done. */
  async #keep(exchange) {
    const { folder, isGiven } = this;
    const { key } = exchange;
    if (!isGiven) return;
    await this.#save(exchange, folder, this.speaker);
    if (!this.isGiven || this.folder !== folder) await this.#remove(folder, key);
  }

  async #save(exchange, folder, speaker) {
    const sound = this.isKept(exchange) ? null : exchange.own;
    const kept = await this.#server.keepCorrection(folder, speaker, exchange.key, sound);
    this.#keys = new Set(kept.keys);
    return kept;
  }

  async #remove(folder, key) {
    const { keys } = await this.#server.removeCorrection(folder, key);
    this.#keys = new Set(keys);
  }

  /** Do it when all before is done; `exchange` is pending until then. */
  #then(exchange, step) {
    this.#pending.add(exchange);
    this.onchange();
    const done = this.#work.then(step).finally(() => {
      this.#pending.delete(exchange);
      this.onchange();
    });
    this.#work = done.catch(() => {});
    return done;
  }

  #told(work) {
    work.catch((error) => this.onproblem(error.message));
  }

  get #decision() {
    return this.#unkept ?? recall("local", KEY) ?? {};
  }

  #decide(decision) {
    this.#unkept = keep("local", KEY, decision) ? null : decision;
    this.onchange();
  }
}
