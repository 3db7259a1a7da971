/** In the audio thread: the microphone at the context's rate → frames of 20 ms, 16 bits at 16 kHz, with their level. */
import { Resampler } from "./resample.js";

const RATE_HZ = 16000;
const FRAME = 320;

class Microphone extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, RATE_HZ);
  #frame = new Int16Array(FRAME);
  #filled = 0;
  #energy = 0;

  process([input]) {
    if (!input.length) return true;
    for (const value of this.#resampler.push(input[0])) {
      this.#energy += value * value;
      this.#frame[this.#filled++] = Math.min(Math.max(value, -1), 1) * 32767;
      if (this.#filled === FRAME) this.#send();
    }
    return true;
  }

  #send() {
    const pcm = this.#frame.buffer;
    const level = 10 * Math.log10(this.#energy / FRAME + 1e-12);
    this.port.postMessage({ pcm, level }, [pcm]);
    this.#frame = new Int16Array(FRAME);
    this.#filled = this.#energy = 0;
  }
}

registerProcessor("attune-microphone", Microphone);
