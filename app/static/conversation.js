/**
 * The browser's side of a conversation: one state, one turn at a time.
 *
 * loading → ready → recording → hearing → thinking → speaking → ready. A new turn
 * takes the place of a running one; what still arrives for the old one is dropped.
 */
import { make } from "./dom.js";
import { Exchange } from "./exchange.js";
import { KnownVoice } from "./known_voice.js";
import { Player } from "./player.js";
import { Obstacle, Recorder } from "./recorder.js";
import { rememberedId } from "./tab.js";
import { text } from "./texts.js";
import { Timeline } from "./timeline.js";

const DOUBLE_CLICK_MS = 500;

export class Conversation {
  #root;
  #server;
  #composer;
  #settings;
  #list;
  #timeline;
  #voice;
  #player = new Player();
  #recorder = new Recorder();
  #own = new Audio();
  #state = "loading";
  #turn = null;
  /** Those that were heard, in the server's order. */
  #exchanges = [];
  /** The exchange whose answer is being heard for the first time. */
  #sounding = null;
  #recordingSince = 0;

  constructor(root, server, composer, settings) {
    this.#root = root;
    this.#server = server;
    this.#composer = composer;
    this.#settings = settings;
    this.#list = root.querySelector("ol.talk");
    this.#timeline = new Timeline(root.querySelector(".timeline"));
    this.#voice = new KnownVoice(root.querySelector(".known-voice"), () => this.forgetVoice());
    composer.connect({
      talk: () => this.talk(),
      cancel: () => this.cancel(),
      stop: () => this.stop(),
      clear: () => this.clear(),
      send: (said) => this.send(said),
    });
    this.#enter("loading");
  }

  /** Take up what this tab said before a reload. */
  async open() {
    const { id, exchanges, voice_turns } = await this.#server.open(await rememberedId.take());
    rememberedId.keep(id);
    this.#voice.show(voice_turns);
    for (const past of exchanges) {
      const exchange = this.#add(null);
      this.#exchanges.push(exchange);
      exchange.heard(past.heard);
      exchange.finished(past);
      if (!past.heard.is_silence) this.#timeline.add(past.heard.emotion)(past.style);
    }
    this.#scroll();
  }

  /** The engine's loading went on. An engine in use stays in use while another one loads. */
  prepared({ phase, engine }) {
    if (engine && ["loading", "failed"].includes(this.#state)) this.#enter("ready");
    else if (!engine && phase === "failed") this.#enter("failed");
  }

  /** The one button: begin a turn, or end and send it. */
  async talk() {
    if (this.#state !== "recording") return this.#record();
    if (Date.now() - this.#recordingSince < DOUBLE_CLICK_MS) return;
    this.#recordingSince = Infinity;
    await this.send(await this.#recorder.stop());
  }

  cancel() {
    this.#recorder.cancel();
    this.#enter("ready");
  }

  async stop() {
    await this.#interrupt();
    this.#enter("ready");
  }

  async clear() {
    await this.#interrupt();
    this.#recorder.cancel();
    await this.#guarded(() => this.#server.clear());
    this.#exchanges = [];
    this.#list.replaceChildren();
    this.#timeline.clear();
    this.#composer.hush();
    this.#enter("ready");
    this.#composer.announce(text("stateCleared"));
  }

  /** Another person talks from now on, in the same conversation. */
  async forgetVoice() {
    await this.#guarded(async () => {
      await this.#server.forgetVoice();
      this.#voice.show(0);
      this.#composer.talk.focus();
      this.#composer.announce(text("voiceForgotten"));
    });
  }

  /** Say something: a recording (Blob) or typed text. */
  async send(said) {
    this.#player.unlock();
    await this.#interrupt();
    this.#composer.hush();
    const turn = { abort: new AbortController(), exchange: this.#add(said), tone: () => {} };
    this.#turn = turn;
    this.#enter("hearing");
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

  #take(event, turn) {
    const { exchange } = turn;
    switch (event.type) {
      case "heard":
        this.#exchanges.push(exchange);
        exchange.heard(event);
        if (!event.is_silence) turn.tone = this.#timeline.add(event.emotion);
        this.#enter("thinking");
        break;
      case "text":
        exchange.piece(event.text);
        break;
      case "speech": {
        const samples = exchange.speech(event);
        if (this.#settings.values.aloud) this.#player.push(samples);
        break;
      }
      case "finished":
        exchange.finished(event);
        turn.tone(event.style);
        this.#voice.show(event.voice_turns);
        this.#composer.announce(`${text("attune")}: ${event.reply}`);
        break;
      case "problem":
        this.#break(turn, event.message);
        break;
    }
    this.#scroll();
  }

  /** A turn ends without an answer; the conversation goes on. */
  #break(turn, message) {
    this.#composer.say(message);
    turn.exchange.breakOff();
  }

  async #record() {
    this.#player.unlock();
    await this.#interrupt();
    this.#composer.hush();
    // Until the microphone is given there is nothing that a second click could end.
    this.#recordingSince = Infinity;
    this.#enter("recording");
    try {
      await this.#recorder.start((level) => this.#composer.level(level));
      this.#recordingSince = Date.now();
      if (this.#state !== "recording") this.#recorder.cancel();
    } catch (error) {
      if (!(error instanceof Obstacle)) throw error;
      this.#enter("ready");
      this.#composer.say(text(error.message), ...(error.message === "micFramed" ? [ownTabLink()] : []));
    }
  }

  /** End whatever is being answered or played; the answer shrinks to what the person got of it. */
  async #interrupt() {
    const exchange = this.#turn?.exchange ?? this.#sounding;
    const playedS = this.#player.playedS;
    this.#own.pause();
    this.#player.stop();
    this.#turn?.abort.abort();
    this.#turn = this.#sounding = null;
    if (!exchange) return;
    const kept = await this.#guarded(() => this.#server.stop(playedS));
    if (exchange.isHeard && kept) exchange.finished(kept);
    else exchange.breakOff();
  }

  async #replay(exchange) {
    await this.#interrupt();
    this.#player.begin({ onBegin: () => this.#enter("speaking"), onEnd: () => this.#rest() });
    if (exchange.stretches.length) exchange.stretches.forEach((samples) => this.#player.push(samples));
    else await this.#sayAgain(exchange);
    this.#player.complete();
  }

  /** After a reload the sound is gone; the program says it once more. */
  async #sayAgain(exchange) {
    const place = this.#exchanges.indexOf(exchange);
    await this.#guarded(async () => {
      for await (const event of this.#server.again(place, this.#settings.values)) {
        if (event.type === "problem") this.#composer.say(event.message);
        else this.#player.push(exchange.speech(event));
      }
    });
  }

  #replayOwn(sound) {
    this.#interrupt();
    URL.revokeObjectURL(this.#own.src);
    this.#own.src = URL.createObjectURL(sound);
    this.#own.play();
  }

  #add(own) {
    const actions = { replayOwn: (sound) => this.#replayOwn(sound), replay: (exchange) => this.#replay(exchange) };
    const exchange = new Exchange(this.#list, actions, own);
    this.#scroll();
    return exchange;
  }

  #soundOf(exchange) {
    this.#sounding = exchange;
    this.#enter("speaking");
  }

  #rest() {
    if (this.#turn || this.#player.isPlaying) return;
    this.#sounding = null;
    this.#enter("ready");
  }

  #enter(state) {
    this.#state = state;
    this.#composer.show(state);
  }

  #scroll() {
    const view = this.#root.querySelector(".scroll");
    view.scrollTop = view.scrollHeight;
  }

  /** Do it, or say that the server cannot be reached. */
  async #guarded(work) {
    try {
      return await work();
    } catch (error) {
      this.#composer.say(text(error.message));
      return null;
    }
  }
}

function ownTabLink() {
  return make("a", { href: location.href, target: "_blank", rel: "noopener" }, text("openOwnTab"));
}
