/** The reply's sound in hands-free talk: plays as it comes, quieter or silent at once, and knows what was heard. */
import { RATE_HZ } from "../sound.js";

const LOW = 0.2;
const RAMP_S = 0.012;
/** Time constant: nine tenths of the way in 28 ms. */
const TOLERANCE_S = 0.01;
/** The resampler keeps half a millisecond for itself. */

export class Loudspeaker {
  #context;
  #node;
  #gain;
  #isSilent;
  #reply = 0;
  #pushed = 0;
  #report = { playedS: 0, dryS: 0, underruns: 0 };

  /** In a context whose worklets are loaded. `isSilent` plays nothing: what comes counts as heard. */
  constructor(context, isSilent) {
    this.#context = context;
    this.#isSilent = isSilent;
    this.#gain = new GainNode(context);
    this.#node = new AudioWorkletNode(context, "attune-loudspeaker", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#node.connect(this.#gain).connect(context.destination);
    this.#node.port.onmessage = ({ data }) => {
      if (data.reply === this.#reply) this.#report = data;
    };
  }

  /** Another reply begins: nothing of the one before sounds any more. */
  begin() {
    this.#reply += 1;
    this.#pushed = 0;
    this.#report = { playedS: 0, dryS: 0, underruns: 0 };
    this.#node.port.postMessage({ reply: this.#reply });
  }

  push(samples) {
    this.#pushed += samples.length;
    if (!this.#isSilent) this.#node.port.postMessage({ pcm: samples.slice().buffer });
  }

  low(isLow) {
    this.#gain.gain.setTargetAtTime(isLow ? LOW : 1, this.#context.currentTime, RAMP_S);
  }

  /** Seconds of this reply that have come out; the device itself holds some back. */
  get playedS() {
    if (this.#isSilent) return this.#pushedS;
    const { playedS, dryS } = this.#report;
    return Math.max(0, playedS - Math.max(0, (this.#context.outputLatency || 0) - dryS));
  }

  get isEmpty() {
    return this.playedS >= this.#pushedS - TOLERANCE_S;
  }

  get underruns() {
    return this.#report.underruns;
  }

  get #pushedS() {
    return this.#pushed / RATE_HZ;
  }
}
