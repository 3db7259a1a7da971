/**
 * Talk turn by turn: a recording, a file or a typed line goes up whole, and its answer comes back as a stream.
 *
 * A new turn takes the place of a running one; what still arrives for the old one is dropped.
 */
import { Player } from "./player.js";
import { Obstacle, Recorder } from "./recorder.js";
import { decodePcm } from "./sound.js";
import { text } from "./texts.js";

export class TurnByTurn {
  /** "recording", "hearing", "thinking" or "speaking" has been reached. */
  onstate = () => {};
  /** Nothing is being recorded, answered or played any more. */
  onrest = () => {};
  #server;
  #composer;
  #settings;
  #transcript;
  #player = new Player();
  #recorder = new Recorder();
  #own = new Audio();
  #turn = null;
  /** The exchange whose answer is being heard for the first time. */
  #sounding = null;

  constructor(server, composer, settings, transcript) {
    this.#server = server;
    this.#composer = composer;
    this.#settings = settings;
    this.#transcript = transcript;
    this.#own.onended = () => {
      this.#letGoOfOwn();
      this.#rest();
    };
  }

  /** Throws `Obstacle`. */
  async record() {
    this.#player.unlock();
    this.onstate("recording");
    try {
      await this.#recorder.start((level) => this.#composer.level(level));
    } catch (error) {
      if (error instanceof Obstacle) this.onrest();
      throw error;
    }
  }

  /** End the recording and send it, if there is one by now. */
  async finish() {
    const sound = await this.#recorder.stop();
    if (sound) await this.send(sound);
  }

  cancel() {
    this.#recorder.cancel();
  }

  /** Say something: a recording (Blob) or typed text. */
  async send(said) {
    this.#player.unlock();
    await this.interrupt();
    this.#composer.hush();
    const turn = { abort: new AbortController(), ...this.#transcript.begin(said) };
    this.#turn = turn;
    this.onstate("hearing");
    this.#player.begin({ onBegin: () => this.#soundOf(turn.exchange), onEnd: () => this.#rest() });
    try {
      for await (const event of this.#server.turn(said, this.#settings.values, turn.abort.signal)) {
        if (this.#turn !== turn) return;
        this.#take(event, turn);
      }
    } catch (error) {
      if (this.#turn !== turn) return;
      this.#break(turn, text(error.message));
    }
    if (this.#turn !== turn) return;
    this.#turn = null;
    this.#player.complete();
    this.#rest();
  }

  /** End whatever is being answered or played; the answer shrinks to what the person got of it. */
  async interrupt() {
    const exchange = this.#turn?.exchange ?? this.#sounding;
    const playedS = this.#player.playedS;
    this.#letGoOfOwn();
    this.#player.stop();
    this.#turn?.abort.abort();
    this.#turn = this.#sounding = null;
    if (!exchange) return;
    const kept = await this.#composer.guarded(() => this.#server.stop(playedS));
    if (exchange.isHeard && kept) exchange.finished(kept);
    else if (kept && !this.#transcript.has(kept.key)) this.#transcript.late(exchange, kept);
    else exchange.breakOff();
  }

  async replay(exchange) {
    this.#player.begin({ onBegin: () => this.onstate("speaking"), onEnd: () => this.#rest() });
    if (exchange.stretches.length) exchange.stretches.forEach((samples) => this.#player.push(samples));
    else await this.#sayAgain(exchange);
    this.#player.complete();
  }

  async replayOwn(sound) {
    this.#own.src = URL.createObjectURL(sound);
    try {
      await this.#own.play();
    } catch {
      // Stopped before it began, or of a kind that this browser does not play.
    }
  }

  /** Recordings that are erased do not go on. */
  silenceOwn() {
    if (!this.#own.src) return;
    this.#letGoOfOwn();
    this.#rest();
  }

  #letGoOfOwn() {
    this.#own.pause();
    URL.revokeObjectURL(this.#own.src);
    this.#own.removeAttribute("src");
    this.#own.load();
  }

  #take(event, turn) {
    switch (event.type) {
      case "problem":
        return this.#break(turn, event.message);
      case "speech":
        return this.#play(decodePcm(event.pcm), turn.exchange);
      case "heard":
        this.onstate("thinking");
    }
    return this.#transcript.take(event, turn);
  }

  #play(samples, exchange) {
    exchange.speech(samples);
    if (this.#settings.values.aloud) this.#player.push(samples);
  }

  /** A turn ends without an answer; the conversation goes on. */
  #break(turn, message) {
    this.#composer.say(message);
    turn.exchange.breakOff();
  }

  /** After a reload the sound is gone; the program says it once more. */
  async #sayAgain(exchange) {
    await this.#composer.guarded(async () => {
      for await (const event of this.#server.again(exchange.key, this.#settings.values)) {
        if (event.type === "problem") this.#composer.say(event.message);
        else this.#player.push(decodePcm(event.pcm));
      }
    });
  }

  #soundOf(exchange) {
    this.#sounding = exchange;
    this.onstate("speaking");
  }

  #rest() {
    if (this.#turn || this.#player.isPlaying) return;
    this.#sounding = null;
    this.onrest();
  }
}
