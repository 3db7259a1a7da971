/** What was said so far, as the page shows it: the exchanges, the timeline, how far the voice is known. */
import { Exchange } from "./exchange.js";
import { KnownVoice } from "./known_voice.js";
import { text } from "./texts.js";
import { Timeline } from "./timeline.js";

export class Transcript {
  #list;
  #view;
  #timeline;
  #voice;
  #actions;
  #announce;
  /** Those that were heard, in the server's order. */
  #exchanges = [];

  /** `actions`: replayOwn(Blob), replay(exchange), forgetVoice(); `announce` is for those who do not see the page. */
  constructor(root, actions, announce) {
    this.#list = root.querySelector("ol.talk");
    this.#view = root.querySelector(".scroll");
    this.#timeline = new Timeline(root.querySelector(".timeline"));
    this.#voice = new KnownVoice(root.querySelector(".known-voice"), actions.forgetVoice);
    this.#actions = actions;
    this.#announce = announce;
    // A message, or the keyboard of a phone, takes room from below.
    new ResizeObserver(() => this.#scroll()).observe(this.#view);
  }

  /** A turn begins; `own` is the recording or typed text, where there is one. */
  begin(own = null) {
    const exchange = new Exchange(this.#list, this.#actions, own);
    this.#scroll();
    return { exchange, tone: () => {} };
  }

  /** The words so far of a turn still being spoken. */
  caption(turn, words, settled) {
    turn.exchange.caption(words, settled);
    this.#scroll();
  }

  /** An event of a turn, other than its sound. */
  take(event, turn) {
    const { exchange } = turn;
    switch (event.type) {
      case "heard":
        this.#exchanges.push(exchange);
        exchange.heard(event);
        if (!event.is_typed) this.#announce(`${text("you")}: ${exchange.words.innerText}`);
        if (!event.is_silence) turn.tone = this.#timeline.add(event.emotion);
        break;
      case "text":
        exchange.piece(event.text);
        break;
      case "finished":
        exchange.finished(event);
        turn.tone(event.style);
        this.#voice.show(event.voice_turns);
        this.#announce(`${text("attune")}: ${event.reply}`);
        break;
    }
    this.#scroll();
  }

  /** The turn heard last was not over. */
  reopen({ exchange }) {
    const { hadFeeling } = exchange;
    this.#exchanges.pop();
    exchange.reopen();
    if (hadFeeling) this.#timeline.drop();
  }

  /** As the server has it: after a reload, or after the connection was cut. */
  show({ exchanges, voice_turns }) {
    this.#voice.show(voice_turns);
    exchanges.forEach((past, place) => {
      const exchange = this.#exchanges[place];
      if (!exchange) this.#add(past);
      else if (exchange.isOpen || past.was_stopped) exchange.finished(past);
    });
    this.#scroll();
  }

  place(exchange) {
    return this.#exchanges.indexOf(exchange);
  }

  voice(turns) {
    this.#voice.show(turns);
  }

  clear() {
    this.#exchanges = [];
    this.#list.replaceChildren();
    this.#timeline.clear();
  }

  #add(past) {
    const { exchange } = this.begin();
    this.#exchanges.push(exchange);
    exchange.heard(past.heard);
    exchange.finished(past);
    if (!past.heard.is_silence) this.#timeline.add(past.heard.emotion)(past.style);
  }

  #scroll() {
    this.#view.scrollTop = this.#list.childElementCount ? this.#view.scrollHeight : 0;
  }
}
