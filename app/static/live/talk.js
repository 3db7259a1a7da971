/**
 * A hands-free talk on the page: the microphone goes up, captions and the reply come down.
 *
 * Who has the word is decided by the server (`app/live/machine.py`); the page only lowers the reply by itself
 * when somebody begins to speak, because that cannot wait for the way there and back.
 */
import { text } from "../texts.js";
import { Awake } from "./awake.js";
import { Courtesy } from "./courtesy.js";
import { STATES, WAITING } from "./states.js";

const REPORT_MS = 100;
const LEAVE_WITHIN_MS = 1000;

export class HandsFree {
  /** One of `STATES`' values has been reached. */
  onstate = () => {};
  /** Over, and not because of `end()`; with a sentence where there is one. */
  onend = () => {};
  state = "open";
  isMuted = false;
  isListening = true;
  #parts;
  #transcript;
  #view;
  #settings;
  #awake;
  #reports;
  #courtesy;
  /** What was said in the turn that is heard next. */
  #own = null;
  #isHeld = false;
  #isSounding = false;
  #isComplete = false;
  /** What still comes of a reply that was stopped here is not played. */
  #isHushed = false;
  /** The turns being spoken, typed and answered, as the transcript made them. */
  #spoken = null;
  #typed = null;
  #answered = null;
  #onyielded = () => {};

  /** `parts` as `prepare` opened them; `view` shows level, patience and messages. */
  constructor(parts, transcript, view, settings) {
    this.#parts = parts;
    this.#transcript = transcript;
    this.#view = view;
    this.#settings = settings;
    const { line, microphone, loudspeaker } = parts;
    this.#courtesy = new Courtesy(loudspeaker, (isLow) => view.lower(isLow), () => view.note(text("echoLikely")));
    line.onevent = (event) => this.#take(event);
    line.onsound = (samples) => this.#play(samples);
    line.onlost = () => this.#lost();
    line.onback = (begun) => this.#back(begun);
    line.onend = (sentence) => this.#over(sentence ?? text("liveLost"));
    microphone.onframe = (pcm, level) => this.#hear(pcm, level);
    microphone.onlost = () => this.#over(text("micLost"));
    microphone.ondead = () => view.note(text("levelDead"));
    microphone.onfaint = () => view.note(text("levelFaint"));
    microphone.onchanged = (name) => view.note(text("micChanged", { name }));
    this.#awake = new Awake(parts.context, () => this.#over(text("liveAsleep")));
    this.#reports = setInterval(() => this.#report(), REPORT_MS);
    if (this.isPushed) this.#listen(false);
  }

  /** Whether the person holds a button to be heard. */
  get isPushed() {
    return this.#settings.mode === "push";
  }

  /** Whether the reply gives way to the person's voice. */
  get isInterruptible() {
    return this.#settings.hears_while_speaking && !this.isPushed && !this.isMuted;
  }

  /** The last minutes of what the person said. */
  get sent() {
    return this.#parts.line.sent;
  }

  end() {
    clearInterval(this.#reports);
    const { context, microphone, line } = this.#parts;
    this.#awake.end();
    this.#view.level(0);
    this.#view.patience(null);
    for (const turn of [this.#spoken, this.#typed]) turn?.exchange.breakOff();
    this.#spoken = this.#typed = null;
    microphone.close();
    if (this.#answered && line.isOpen) this.#leave();
    else this.#left();
    context.close();
  }

  /** Stop the reply; the server still says which words of it count as said. */
  #leave() {
    const giveUp = setTimeout(() => this.#left(), LEAVE_WITHIN_MS);
    this.onstate = this.onend = () => {};
    this.#parts.line.onlost = () => this.#left();
    this.#onyielded = () => {
      clearTimeout(giveUp);
      this.#left();
    };
    this.stop();
  }

  #left() {
    this.#parts.line.close();
    this.#answered?.exchange.breakOff();
    this.#answered = null;
  }

  type(words) {
    this.#hush();
    this.#typed = this.#transcript.begin(words);
    this.#parts.line.send("attune.typed", { text: words });
  }

  stop() {
    this.#hush();
    this.#parts.line.send("attune.stop");
  }

  mute(isMuted) {
    this.isMuted = isMuted;
    this.#listen(!isMuted);
  }

  /** The button of push-to-talk goes down: the word is the person's. */
  press() {
    if (this.#isSounding) this.stop();
    this.#listen(true);
  }

  release() {
    this.#parts.line.send("attune.answer-now");
    this.#listen(false);
  }

  /** Something else sounds for a while, which is not for the ears: a file being answered, a turn played again. */
  hold() {
    if (this.#isHeld) return;
    this.stop();
    this.#isHeld = true;
    this.#listen(false);
  }

  letGo() {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#listen(!this.isMuted && !this.isPushed);
  }

  #listen(isOn) {
    const isHeard = isOn && !this.#isHeld;
    this.#parts.microphone.mute(!isHeard);
    this.#parts.line.send("attune.muted", { is_on: !isHeard });
    if (!isHeard) this.#view.level(0);
    this.isListening = isHeard;
  }

  #hear(pcm, level) {
    if (!this.isListening) return;
    this.#parts.line.sendSound(pcm);
    this.#view.level(Math.min(Math.max((level + 50) / 40, 0), 1));
    this.#courtesy.feed(level, this.#isSounding && this.isInterruptible);
  }

  #play(samples) {
    if (this.#isHushed || !this.#answered) return;
    this.#answered.exchange.speech(samples);
    this.#parts.loudspeaker.push(samples);
  }

  /** At once, whatever the server says next. */
  #hush() {
    this.#report();
    this.#isHushed = true;
    this.#courtesy.rest();
    this.#parts.loudspeaker.begin();
  }

  /** What has really been heard, for the conversation to remember. */
  #report() {
    if (!this.#answered || this.#isHushed) return;
    const { playedS, isEmpty } = this.#parts.loudspeaker;
    this.#parts.line.send("attune.played", { duration_s: playedS, is_over: this.#isComplete && isEmpty });
  }

  #take(event) {
    switch (event.type) {
      case "attune.standing":
        return this.#stand(event);
      case "attune.caption":
        this.#spoken ??= this.#transcript.begin();
        return this.#transcript.caption(this.#spoken, event.text, event.settled);
      case "attune.nothing":
        this.#spoken?.exchange.breakOff();
        this.#spoken = null;
        return undefined;
      case "attune.span":
        this.#own = this.#parts.line.sent.cut(event.first, event.last);
        return undefined;
      case "attune.volume":
        return this.#courtesy.decided(event.is_low);
      case "attune.hush":
        return this.#yielded(event.reply);
      case "attune.reopened":
        this.#hush();
        this.#transcript.reopen(this.#answered);
        [this.#spoken, this.#answered] = [this.#answered, null];
        return undefined;
      case "heard":
        return this.#heard(event);
      case "finished":
        this.#isComplete = true;
        return this.#answered && this.#transcript.take(event, this.#answered);
      case "text":
        return this.#answered && this.#transcript.take(event, this.#answered);
      case "problem":
        return this.#problem(event.message);
    }
    return undefined;
  }

  #stand({ state, needed_s }) {
    this.state = STATES[state];
    this.#isSounding = this.state === "speaking";
    if (state === "hearing") this.#spoken ??= this.#transcript.begin();
    if (state === "listening") this.#rest();
    // Nothing is known yet when a pause begins, or goes on under another name.
    if (needed_s || !WAITING.includes(state)) this.#view.patience(needed_s);
    if (!this.#isHeld) this.onstate(this.state);
  }

  /** Nothing more comes of the reply, or of its sound. */
  #rest() {
    if (this.#isHushed || !this.#isComplete) this.#answered?.exchange.breakOff();
    else this.#answered?.exchange.sounded(this.#parts.loudspeaker.underruns);
    this.#answered = null;
  }

  #heard(event) {
    const said = event.is_typed ? "typed" : "spoken";
    this.#answered = (said === "typed" ? this.#typed : this.#spoken) ?? this.#transcript.begin();
    if (said === "typed") this.#typed = null;
    else [this.#answered.exchange.own, this.#spoken, this.#own] = [this.#own, null, null];
    this.#isComplete = this.#isHushed = false;
    this.#parts.loudspeaker.begin();
    this.#view.hush();
    this.#transcript.take(event, this.#answered);
  }

  #yielded(reply) {
    const turn = this.#answered;
    this.#answered = null;
    this.#isHushed = true;
    this.#courtesy.rest();
    this.#parts.loudspeaker.begin();
    turn?.exchange.stopAfter(reply);
    this.#onyielded();
  }

  /** A turn ends without an answer; the talk goes on. */
  #problem(message) {
    this.#view.say(message);
    if (this.#typed) {
      this.#typed.exchange.breakOff();
      this.#typed = null;
    } else if (this.#answered && !this.#isComplete) {
      this.#isComplete = true;
      this.#answered.exchange.breakOff();
    }
  }

  #lost() {
    this.#hush();
    this.#spoken?.exchange.breakOff();
    this.#typed?.exchange.breakOff();
    this.#spoken = this.#typed = this.#answered = null;
    this.#isSounding = false;
    this.#view.patience(null);
    this.#view.level(0);
    this.state = "lost";
    this.onstate("lost");
  }

  #back(begun) {
    this.#transcript.show(begun);
    this.state = "open";
    this.onstate("open");
    this.#listen(this.isListening);
  }

  #over(sentence) {
    this.end();
    this.onend(sentence);
  }
}
