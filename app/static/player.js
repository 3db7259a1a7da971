/** Plays a reply while it is still being spoken: stretches of samples, back to back, stoppable at once. */
import { RATE_HZ } from "./sound.js";

const LEAD_S = 0.03;
/** Between "play" and the first sample, so that the start is not clipped. */

export class Player {
  #context = null;
  #playing = null;

  /** Browsers let sound begin only from a click or key: call this in its handler. */
  unlock() {
    this.#context ??= new AudioContext({ sampleRate: RATE_HZ });
    if (this.#context.state !== "running") this.#context.resume();
  }

  /** Begin something new; `onBegin` at its first sample, `onEnd` after its last, never after a stop. */
  begin({ onBegin = () => {}, onEnd = () => {} } = {}) {
    this.stop();
    this.unlock();
    this.#playing = { stretches: [], isComplete: false, onBegin, onEnd };
  }

  get isPlaying() {
    return this.#playing !== null;
  }

  push(samples) {
    const playing = this.#playing;
    if (!playing || samples.length === 0) return;
    const buffer = this.#context.createBuffer(1, samples.length, RATE_HZ);
    const channel = buffer.getChannelData(0);
    for (let i = 0; i < samples.length; i++) channel[i] = samples[i] / 32768;
    const source = new AudioBufferSourceNode(this.#context, { buffer });
    source.connect(this.#context.destination);
    const last = playing.stretches.at(-1);
    const beginsS = Math.max(this.#context.currentTime + LEAD_S, last?.endsS ?? 0);
    const stretch = { source, beginsS, endsS: beginsS + buffer.duration };
    source.onended = () => {
      stretch.isOver = true;
      this.#settle(playing);
    };
    source.start(beginsS);
    playing.stretches.push(stretch);
    if (!last) playing.onBegin();
  }

  /** Nothing more will be pushed. */
  complete() {
    if (!this.#playing) return;
    this.#playing.isComplete = true;
    this.#settle(this.#playing);
  }

  /** Seconds of sound that came out so far; null when nothing has begun to sound. */
  get playedS() {
    if (!this.#playing?.stretches.length) return null;
    const now = this.#context.currentTime;
    return this.#playing.stretches.reduce(
      (sum, { beginsS, endsS }) => sum + Math.min(Math.max(now - beginsS, 0), endsS - beginsS),
      0,
    );
  }

  stop() {
    const playing = this.#playing;
    this.#playing = null;
    for (const { source } of playing?.stretches ?? []) {
      source.onended = null;
      source.stop();
    }
  }

  #settle(playing) {
    if (this.#playing !== playing || !playing.isComplete) return;
    if (playing.stretches.every((stretch) => stretch.isOver)) {
      this.#playing = null;
      playing.onEnd();
    }
  }
}
