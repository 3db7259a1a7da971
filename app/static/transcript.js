/** What was said so far, as the page shows it: the exchanges, the timeline, how far the voice is known. */
import { Exchange } from "./exchange.js";
import { KnownVoice } from "./known_voice.js";
import { text } from "./texts.js";
import { Timeline } from "./timeline.js";

const MOST_SOUND_BYTES = 100e6;
/** Of own sounds and replies together: two hours of recordings, or half an hour of replies. */
const NEAR_PX = 120;
/** So far from its end the talk still counts as looked at to the end. */

export class Transcript {
  #list;
  #view;
  #timeline;
  #voice;
  #actions;
  #announce;
  /** Those that were heard, in the server's order. */
  #exchanges = [];
  /** Whether the newest is being looked at, and not something further up. */
  #isAtEnd = true;

  /** `actions`: forgetVoice(), dropped(key), and those of `Exchange`; `announce` is for those who do not see the page. */
  constructor(root, actions, announce) {
    this.#list = root.querySelector("ol.talk");
    this.#view = root.querySelector(".scroll");
    this.#timeline = new Timeline(root.querySelector(".timeline"));
    this.#voice = new KnownVoice(root.querySelector(".known-voice"), actions.forgetVoice);
    this.#actions = actions;
    this.#announce = announce;
    // A message, or the keyboard of a phone, takes room from below.
    new ResizeObserver(() => this.#follow()).observe(this.#view);
    this.#view.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.#view;
      this.#isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    });
  }

  /** A turn begins; `own` is the recording or typed text, where there is one. */
  begin(own = null) {
    const exchange = new Exchange(this.#list, this.#actions, own);
    this.#isAtEnd = true;
    this.#follow();
    return { exchange };
  }

  /** The words so far of a turn still being spoken. */
  caption(turn, words, settled) {
    turn.exchange.caption(words, settled);
    this.#follow();
  }

  /** An event of a turn, other than its sound. */
  take(event, { exchange }) {
    switch (event.type) {
      case "heard":
        this.#exchanges.push(exchange);
        exchange.heard(event);
        this.#forgetOldest();
        if (!event.is_typed) this.#announce(`${text("you")}: ${exchange.words.innerText}`);
        this.#showFeelings();
        break;
      case "text":
        exchange.piece(event.text);
        break;
      case "finished":
        exchange.finished(event);
        this.#forgetOldest();
        this.#showFeelings();
        this.#voice.show(event.voice_turns);
        this.#announce(`${text("attune")}: ${event.reply}`);
        break;
    }
    this.#follow();
  }

  /** The turn heard last was not over. */
  reopen({ exchange }) {
    const { key, hearing } = exchange;
    this.#exchanges.pop();
    exchange.reopen();
    this.#showFeelings();
    if (hearing.correction) this.#actions.dropped(key);
  }

  /** What the person felt in that turn is known better; `answer` is the exchange as the server has it. */
  corrected(exchange, answer) {
    // Where it went on meanwhile, it is another by now.
    if (answer.key !== exchange.key) return;
    exchange.corrected(answer.heard);
    this.#showFeelings();
  }

  /** As the server has it: after a reload, or after the connection was cut. */
  show({ exchanges, voice_turns }) {
    this.#voice.show(voice_turns);
    const known = new Map(this.#exchanges.map((exchange) => [exchange.key, exchange]));
    for (const past of exchanges) {
      const exchange = known.get(past.key);
      if (!exchange) this.#add(past);
      else if (exchange.isOpen || past.was_stopped) exchange.finished(past);
    }
    this.#showFeelings();
    this.#follow();
  }

  /** It was stopped here before the page knew that it had been heard; `past` is what the server has of it. */
  late(exchange, past) {
    this.#exchanges.push(exchange);
    exchange.heard(past.heard);
    exchange.finished(past);
    this.#showFeelings();
  }

  /** Those that were heard. */
  get exchanges() {
    return this.#exchanges;
  }

  has(key) {
    return this.#exchanges.some((exchange) => exchange.key === key);
  }

  voice(turns) {
    this.#voice.show(turns);
  }

  clear() {
    this.#exchanges = [];
    this.#list.replaceChildren();
    this.#showFeelings();
  }

  /** In bytes, of each sound that the page has. */
  get soundSizes() {
    return this.#exchanges.flatMap((exchange) => exchange.soundSizes);
  }

  forgetSounds() {
    for (const exchange of this.#exchanges) exchange.forgetSounds();
  }

  #add(past) {
    // Not by `begin`, which would lay out the page once for every turn of a long talk.
    const exchange = new Exchange(this.#list, this.#actions);
    this.#exchanges.push(exchange);
    this.#isAtEnd = true;
    exchange.heard(past.heard);
    exchange.finished(past);
  }

  /** A long talk would fill the memory; what is forgotten of a reply can be said again. */
  #forgetOldest() {
    let bytes = 0;
    for (const exchange of [...this.#exchanges].reverse()) {
      bytes += exchange.soundSizes.reduce((sum, size) => sum + size, 0);
      if (bytes > MOST_SOUND_BYTES) exchange.forgetSounds();
    }
  }

  #showFeelings() {
    this.#timeline.show(this.#exchanges);
  }

  /** Keep the newest in view, unless the person is reading something else. */
  #follow() {
    if (this.#isAtEnd) this.#view.scrollTop = this.#list.childElementCount ? this.#view.scrollHeight : 0;
  }
}
