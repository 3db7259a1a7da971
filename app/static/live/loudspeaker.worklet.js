/**
 * In the audio thread: a queue of samples at 24 kHz, played back to back, emptied at once when told to.
 *
 * It counts what has really left: history holds the words that were heard, not those that were sent.
 */
import { Resampler } from "./resample.js";

const RATE_HZ = 24000;
const BLOCK = 64;
const REPORT_S = 0.04;
const FADE = 0.98;
/** Per sample after the last one: a cut without it would click. */

class Loudspeaker extends AudioWorkletProcessor {
  #resampler = new Resampler(RATE_HZ, sampleRate);
  #queue = [];
  #ready = new Float32Array(0);
  #reply = 0;
  #taken = 0;
  #last = 0;
  #runs = 0;
  #dryAt = 0;
  #reportedAt = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => (data.pcm ? this.#push(new Int16Array(data.pcm)) : this.#empty(data.reply));
  }

  process(_, [output]) {
    const out = output[0];
    this.#fill(out.length);
    const count = Math.min(this.#ready.length, out.length);
    out.set(this.#ready.subarray(0, count));
    this.#ready = this.#ready.slice(count);
    if (count) this.#last = out[count - 1];
    for (let i = count; i < out.length; i++) out[i] = this.#last *= FADE;
    for (const copy of output.slice(1)) copy.set(out);
    if (count && !this.#ready.length) this.#dryAt = currentTime;
    if (currentTime - this.#reportedAt >= REPORT_S) this.#report();
    return true;
  }

  #push(samples) {
    if (!this.#isSounding) this.#runs += 1;
    this.#queue.push(Float32Array.from(samples, (value) => value / 32768));
  }

  /** Another reply begins. */
  #empty(reply) {
    this.#queue = [];
    this.#ready = new Float32Array(0);
    this.#resampler.reset();
    this.#reply = reply;
    this.#taken = this.#runs = 0;
    this.#report();
  }

  #fill(wanted) {
    while (this.#ready.length < wanted && this.#queue.length) {
      const [next] = this.#queue;
      this.#taken += Math.min(next.length, BLOCK);
      if (next.length > BLOCK) this.#queue[0] = next.subarray(BLOCK);
      else this.#queue.shift();
      const more = this.#resampler.push(next.subarray(0, BLOCK));
      const ready = new Float32Array(this.#ready.length + more.length);
      ready.set(this.#ready);
      ready.set(more, this.#ready.length);
      this.#ready = ready;
    }
  }

  #report() {
    this.#reportedAt = currentTime;
    this.port.postMessage({
      reply: this.#reply,
      playedS: this.#taken / RATE_HZ - this.#ready.length / sampleRate,
      dryS: this.#isSounding ? 0 : currentTime - this.#dryAt,
      underruns: Math.max(0, this.#runs - 1),
    });
  }

  get #isSounding() {
    return this.#queue.length > 0 || this.#ready.length > 0;
  }
}

registerProcessor("attune-loudspeaker", Loudspeaker);
