/** The microphone in hands-free talk: frames of 20 ms for as long as the talk lasts. */
import { Obstacle, nameOf } from "../recorder.js";

const DEAD_DB = -100;
/** A microphone that works has noise of its own; one that is switched off gives zeros. */
const DEAD_FRAMES = 300;
/** Six seconds of that, from the beginning: noise suppression may make a second or two of them. */

/** A voice nearby is louder than that. */
export const HEARD_DB = -45;
const FAINT_FRAMES = 600;
/** Twelve seconds without. */

const WANTED = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };

export class Microphone {
  onframe = () => {};
  /** Unplugged: another one takes its place, or none does. */
  onchanged = () => {};
  onlost = () => {};
  /** Nothing has ever come of it. */
  ondead = () => {};
  /** There is sound, and none of it loud enough for a voice. */
  onfaint = () => {};
  #stream;
  #source = null;
  #node = null;
  #deadFrames = 0;
  #faintFrames = 0;

  /** Ask for it. Throws `Obstacle`. A device that is gone is replaced by the browser's choice. */
  static async open(deviceId) {
    try {
      return new Microphone(await ask(deviceId));
    } catch (error) {
      if (error.name === "OverconstrainedError" && deviceId) return Microphone.open("");
      throw new Obstacle(nameOf(error));
    }
  }

  constructor(stream) {
    this.#take(stream);
  }

  /** Begin to give frames, in a context whose worklets are loaded. */
  listen(context) {
    this.#node = new AudioWorkletNode(context, "attune-microphone", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    this.#node.port.onmessage = ({ data: { pcm, level } }) => {
      if (this.#track.enabled) this.#watch(level);
      this.onframe(pcm, level);
    };
    this.#connect();
  }

  /** Whether the browser takes the reply's own sound out of it. */
  get cancelsEcho() {
    return this.#track.getSettings().echoCancellation === true;
  }

  /** Whether the system itself withholds its sound. */
  get isSwitchedOff() {
    return this.#track.muted;
  }

  get name() {
    return this.#track.label;
  }

  /** Muted, it gives nothing: the browser's own sign says so too. */
  mute(isOn) {
    this.#track.enabled = !isOn;
  }

  close() {
    this.#track.onended = null;
    this.#source?.disconnect();
    this.#stream.getTracks().forEach((track) => track.stop());
  }

  #watch(level) {
    if (level > DEAD_DB) this.#deadFrames = -Infinity;
    if (level > HEARD_DB) this.#faintFrames = -Infinity;
    if (++this.#deadFrames === DEAD_FRAMES) {
      this.#faintFrames = -Infinity;
      this.ondead();
    } else if (++this.#faintFrames === FAINT_FRAMES) this.onfaint();
  }

  #take(stream) {
    this.#stream = stream;
    this.#track.onended = () => this.#replace();
  }

  #connect() {
    this.#source = new MediaStreamAudioSourceNode(this.#node.context, { mediaStream: this.#stream });
    this.#source.connect(this.#node);
  }

  async #replace() {
    const gone = this.#track;
    const isOn = gone.enabled;
    this.#source?.disconnect();
    try {
      const stream = await ask("");
      // Closed meanwhile: nobody would switch this one off.
      if (!gone.onended) return stream.getTracks().forEach((track) => track.stop());
      this.#take(stream);
      this.mute(!isOn);
      if (this.#node) this.#connect();
      this.onchanged(this.name);
    } catch {
      this.onlost();
    }
  }

  get #track() {
    return this.#stream.getAudioTracks()[0];
  }
}

function ask(deviceId) {
  const audio = deviceId ? { ...WANTED, deviceId: { exact: deviceId } } : WANTED;
  return navigator.mediaDevices.getUserMedia({ audio });
}
