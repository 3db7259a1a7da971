/** The microphone: from "start" to a Blob of what was said. */

const BITS_PER_SECOND = 96000;
/** Opus far above the point where it changes how a voice sounds. */

/** Thrown with a key of the fixed texts that says what stands in the way. */
export class Obstacle extends Error {}

/** Known before asking: the key of what makes a microphone impossible here, or null. */
export function knownObstacle() {
  if (isFramed() && document.featurePolicy?.allowsFeature("microphone") === false) return "micFramed";
  if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) return "micInsecure";
  return null;
}

export class Recorder {
  #stream = null;
  #recorder = null;
  #meter = null;

  /** Ask for the microphone and record; `onLevel` gets 0 to 1 with every frame of the screen. */
  async start(onLevel) {
    const known = knownObstacle();
    if (known) throw new Obstacle(known);
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
    } catch (error) {
      throw new Obstacle(nameOf(error));
    }
    this.#recorder = new MediaRecorder(this.#stream, { audioBitsPerSecond: BITS_PER_SECOND });
    this.#recorder.start();
    this.#meter = measure(this.#stream, onLevel);
  }

  /** End the recording; null where none has begun, or its end has. */
  async stop() {
    const recorder = this.#recorder;
    if (recorder?.state !== "recording") return null;
    const sound = await new Promise((resolve) => {
      const blobs = [];
      recorder.ondataavailable = ({ data }) => blobs.push(data);
      recorder.onstop = () => resolve(new Blob(blobs, { type: recorder.mimeType }));
      recorder.stop();
    });
    this.cancel();
    return sound;
  }

  /** Let go of the microphone and forget what was said. */
  cancel() {
    this.#meter?.();
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = this.#recorder = this.#meter = null;
  }
}

/** The key of what an error of getUserMedia means. */
export function nameOf(error) {
  if (error.name === "NotFoundError" || error.name === "OverconstrainedError") return "micMissing";
  if (error.name === "NotReadableError" || error.name === "AbortError") return "micBusy";
  return isFramed() ? "micFramed" : "micDenied";
}

function isFramed() {
  return window.self !== window.top;
}

/** Call `onLevel` until the returned function is called. */
function measure(stream, onLevel) {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let isOver = false;
  const look = () => {
    if (isOver) return;
    analyser.getFloatTimeDomainData(samples);
    const rms = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
    // -50 dB and less is rest, -10 dB is loud speech.
    onLevel(Math.min(Math.max((20 * Math.log10(rms + 1e-6) + 50) / 40, 0), 1));
    requestAnimationFrame(look);
  };
  look();
  return () => {
    isOver = true;
    context.close();
  };
}
