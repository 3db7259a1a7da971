/**
 * The browser's side of a conversation: one state, and two ways of talking.
 *
 * Hands-free (`live/talk.js`): ready → preparing → open → talking → thinking → speaking → open. Turn by turn
 * (`turns.js`): ready → recording → hearing → thinking → speaking → ready; files and replays too, for which a
 * hands-free talk holds still.
 */
import { Blocked, Refused } from "./live/line.js";
import { Preflight, ownTab } from "./live/preflight.js";
import { close } from "./live/prepare.js";
import { HandsFree } from "./live/talk.js";
import { Obstacle } from "./recorder.js";
import { rememberedId } from "./tab.js";
import { text } from "./texts.js";
import { Transcript } from "./transcript.js";
import { TurnByTurn } from "./turns.js";

const DOUBLE_CLICK_MS = 500;

export class Conversation {
  #server;
  #composer;
  #settings;
  #transcript;
  #turns;
  #preflight;
  #state = "loading";
  #pressedAt = 0;
  /** The hands-free talk, while there is one. */
  #live = null;
  /** No socket gets through here: turn by turn it is. */
  #isBlocked = false;
  /** The person corrected a feeling: the exchange, and it as the server has it now. */
  oncorrected = () => {};
  /** A turn that the person had corrected went on: the key of what it was. */
  ondropped = () => {};
  /** An element that an opened, corrected turn ends with, or null. */
  offer = () => null;

  constructor(root, server, composer, settings) {
    this.#server = server;
    this.#composer = composer;
    this.#settings = settings;
    const actions = {
      replay: (exchange) => this.#play(() => this.#turns.replay(exchange)),
      replayOwn: (sound) => this.#play(() => this.#turns.replayOwn(sound)),
      forgetVoice: () => this.forgetVoice(),
      correct: (exchange, label) => this.correct(exchange, label),
      offer: (exchange) => this.offer(exchange),
      dropped: (key) => this.ondropped(key),
    };
    this.#transcript = new Transcript(root, actions, (message) => this.#announce(message));
    this.#turns = new TurnByTurn(server, composer, settings, this.#transcript);
    this.#turns.onstate = (state) => this.#enter(state);
    this.#turns.onrest = () => this.#rest();
    this.#preflight = new Preflight(root.querySelector("dialog.preflight"));
    composer.connect({
      talk: () => this.talk(),
      press: () => this.#live.press(),
      release: () => this.#live.release(),
      mute: () => this.mute(),
      cancel: () => this.cancel(),
      stop: () => this.stop(),
      clear: () => this.clear(),
      send: (said) => this.send(said),
    });
    this.#enter("loading");
  }

  /** Take up what this tab said before a reload. */
  async open() {
    const opened = await this.#server.open(await rememberedId.take());
    rememberedId.keep(opened.id);
    this.#transcript.show(opened);
  }

  /** The engine's loading went on. An engine in use stays in use while another one loads. */
  prepared({ phase, engine }) {
    if (engine && ["loading", "failed"].includes(this.#state)) this.#enter("ready");
    else if (!engine && phase === "failed") this.#enter("failed");
  }

  /** The one button: begin to talk, or end it; turn by turn, end and send the recording. */
  async talk() {
    if (Date.now() - this.#pressedAt < DOUBLE_CLICK_MS) return;
    this.#pressedAt = Date.now();
    if (this.#live?.isPushed) return;
    if (this.#live) this.#end();
    else if (this.#state === "preparing") this.#enter("ready");
    else if (this.#state === "recording") await this.#turns.finish();
    else if (this.#settings.values.mode === "record" || this.#isBlocked) await this.#record();
    else await this.#goLive();
  }

  mute() {
    this.#live.mute(!this.#live.isMuted);
    this.#composer.announce(text(this.#live.isMuted ? "stateMuted" : "stateOpen"));
    this.#enter(this.#state);
  }

  /** Give up the recording, or the talk. */
  cancel() {
    if (this.#live) this.#end();
    else {
      this.#turns.cancel();
      this.#rest();
    }
  }

  async stop() {
    await this.#interrupt();
    this.#rest();
  }

  async clear() {
    await this.#interrupt();
    this.#turns.cancel();
    await this.#composer.guarded(() => this.#server.clear());
    this.#transcript.clear();
    this.#composer.hush();
    this.#rest();
    this.#composer.announce(text("stateCleared"));
  }

  /** Those that were heard, in order. */
  get exchanges() {
    return this.#transcript.exchanges;
  }

  /**
   * A saved conversation (Blob) takes the place of this one, with what was said in it: `sounds` are [place, Blob].
   * Throws when it is refused, and this one stays.
   */
  async bringBack(saved, sounds) {
    await this.#fallSilent();
    const opened = await this.#server.bringBack(saved);
    this.#transcript.clear();
    this.#transcript.show(opened);
    for (const [place, sound] of sounds) Object.assign(this.exchanges[place] ?? {}, { own: sound });
    this.#composer.announce(text("lookBack.opened"));
    if (opened.note) this.#composer.note(opened.note);
    else this.#composer.hush();
  }

  /** Another person talks from now on, in the same conversation. */
  async forgetVoice() {
    await this.#composer.guarded(async () => {
      await this.#server.forgetVoice();
      this.#transcript.voice(0);
      this.#composer.talk.focus();
      this.#composer.announce(text("voiceForgotten"));
    });
  }

  /** That is what the person felt in that turn; "" takes it back. */
  async correct(exchange, label) {
    await this.#composer.guarded(async () => {
      const answer = await this.#server.correct(exchange.key, label);
      this.#transcript.corrected(exchange, answer);
      this.oncorrected(exchange, answer);
    });
  }

  /** Say something: a recording (Blob) or typed text. */
  async send(said) {
    if (this.#live && typeof said === "string") return this.#live.type(said);
    if (this.#state === "preparing") this.#enter("ready");
    this.#live?.hold();
    return this.#turns.send(said);
  }

  /** Wishes changed: a talk goes on with them. */
  async rewish() {
    if (!this.#live) return;
    this.#end();
    if (this.#settings.values.mode !== "record") await this.#goLive();
  }

  /** Show every check of microphone, sound and connection. */
  async check() {
    if (this.#live) this.#end();
    await this.#preflight.show(this.#settings.values, () => this.#begin(), () => this.talk());
  }

  /** Begin a hands-free talk; where no socket gets through, a recording. */
  async #goLive() {
    await this.#interrupt();
    this.#composer.hush();
    this.#enter("preparing");
    try {
      const parts = await this.#preflight.pass(this.#settings.values, () => this.#begin(), (hint) => this.#composer.note(text(hint)));
      if (this.#state !== "preparing") return close(parts);
      this.#live = new HandsFree(parts, this.#transcript, this.#composer, this.#settings.values);
      this.#live.onstate = (state) => this.#enter(state);
      this.#live.onend = (sentence) => this.#ended(sentence);
      this.#enter("open");
      this.#composer.announce(text("stateOpen"));
    } catch (error) {
      if (this.#state === "preparing") await this.#cannot(error);
    }
  }

  async #cannot(error) {
    this.#enter("ready");
    if (error instanceof Refused) this.#composer.say(error.message);
    else if (error instanceof Obstacle) this.#preflight.explain(error.message, () => this.talk());
    else if (error instanceof Blocked) {
      this.#isBlocked = true;
      await this.#record();
      this.#composer.note(text("liveBlocked"));
    } else throw error;
  }

  /** The first message of a socket. */
  #begin() {
    const { voice, speed, mode, end, hears_while_speaking } = this.#settings.values;
    const { patience } = this.#settings;
    return { conversation: this.#server.id, voice, speed, end: mode === "push" ? "button" : end, patience, hears_while_speaking };
  }

  #end() {
    this.#live.end();
    this.#ended("");
    this.#composer.announce(text("liveEnded"));
  }

  #ended(sentence) {
    this.#live = null;
    this.#enter("ready");
    if (sentence) this.#composer.say(sentence);
  }

  async #record() {
    await this.#interrupt();
    this.#composer.hush();
    try {
      await this.#turns.record();
      if (this.#state !== "recording") this.#turns.cancel();
    } catch (error) {
      if (!(error instanceof Obstacle)) throw error;
      this.#composer.say(text(error.message), ...(error.message === "micFramed" ? [ownTab()] : []));
    }
  }

  async #play(begin) {
    await this.#interrupt();
    this.#live?.hold();
    await begin();
  }

  async #interrupt() {
    this.#live?.stop();
    await this.#turns.interrupt();
  }

  /** Everything of it is erased: nobody talks any more, and nothing of it is left on the page. */
  async forget() {
    await this.#fallSilent();
    this.#transcript.clear();
    this.voiceErased();
  }

  /** In bytes, of each sound that the page has. */
  get soundSizes() {
    return [...this.#transcript.soundSizes, this.#live?.sent.size].filter(Boolean);
  }

  forgetSounds() {
    this.#transcript.forgetSounds();
    this.#turns.silenceOwn();
    this.#live?.sent.clear();
  }

  voiceErased() {
    this.#transcript.voice(0);
  }

  /** Nobody talks any more, in whichever way. */
  async #fallSilent() {
    if (this.#live) this.#end();
    await this.#interrupt();
    this.#turns.cancel();
    this.#rest();
  }

  #rest() {
    this.#live?.letGo();
    this.#enter(this.#live?.state ?? "ready");
  }

  #enter(state) {
    this.#state = state;
    this.#composer.show(state, this.#live);
  }

  /** What was said and answered; a reply that is spoken need not be read out as well, into an open microphone. */
  #announce(message) {
    if (!this.#live || !this.#settings.values.aloud) this.#composer.announce(message);
  }
}
