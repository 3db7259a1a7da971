/** One turn and its answer on the page: two list items that fill as the events come. */
import { icon, make } from "./dom.js";
import { download } from "./download.js";
import { showFeeling } from "./feeling.js";
import { Panel } from "./look/panel.js";
import { said } from "./said.js";
import { wav } from "./sound.js";
import { text } from "./texts.js";

/** The buttons that need the sound. */
const OF_SOUND = '[data-do="download"], [data-do="play-own"]';

export class Exchange {
  /** Heard, and not yet answered in full. */
  isOpen = false;
  /** The server's name for it. */
  key = "";
  /** The newest "heard" and "finished" of the turn: all that is known of it; null before. */
  hearing = null;
  answer = null;
  /** Times the sound of the reply came too late. */
  gaps = 0;
  /** Of the reply: samples, kept in memory for replay and download. */
  stretches = [];
  #actions;
  #panel;
  #chip;
  #why;

  /**
   * `actions`: replay(exchange), and those of `Panel`. `own` is the recording or typed text; what was said
   * hands-free becomes `own` once the turn is over.
   */
  constructor(list, actions, own = null) {
    this.#actions = actions;
    this.own = own instanceof Blob ? own : null;
    this.words = make("p", { class: "words" }, typeof own === "string" ? own : "");
    this.userTools = make("div", { class: "tools" });
    this.reply = make("p", { class: "words" });
    this.replyTools = make("div", { class: "tools" });
    this.#panel = new Panel(this, actions);
    this.#chip = this.#panel.openedBy(make("button", { type: "button", class: "chip" }));
    this.#why = this.#panel.openedBy(make("button", { type: "button", class: "why-open", title: text("look.why") }, text("look.whyOpen")), true);
    this.user = bubble("user", "you", this.words, this.userTools, this.#panel.element);
    this.assistant = bubble("assistant", "attune", this.reply, this.replyTools);
    this.user.classList.toggle("is-waiting", typeof own !== "string");
    list.append(this.user);
  }

  /** The words so far, while more of them come; those after the `settled` beginning may still change. */
  caption(words, settled) {
    this.user.classList.add("is-captioned");
    // Read out when it is final, not with every word.
    this.words.ariaBusy = "true";
    this.words.style.minHeight = `${this.words.offsetHeight}px`;
    this.words.replaceChildren(settled, make("span", { class: "unsettled" }, words.slice(settled.length)));
  }

  heard(event) {
    this.hearing = event;
    this.key = event.key ?? this.key;
    this.user.classList.remove("is-waiting", "is-captioned");
    this.words.ariaBusy = null;
    this.words.style.minHeight = "";
    const instead = event.is_silence ? "heardNothing" : event.is_foreign ? "heardForeign" : "";
    this.words.replaceChildren(...(instead ? [text(instead)] : said(event)));
    this.words.classList.toggle("is-faint", Boolean(instead));
    if (!event.is_silence) {
      showFeeling(this.#chip, event);
      this.userTools.append(this.#chip);
    }
    this.isOpen = true;
    this.user.after(this.assistant);
    this.assistant.classList.add("is-waiting");
  }

  /** The person said what they felt, or took that back. */
  corrected(event) {
    this.hearing = event;
    showFeeling(this.#chip, event);
    this.#panel.corrected();
  }

  /** The turn was not over: the words stay as a caption, all else goes. It gets another key with what it becomes. */
  reopen() {
    this.key = "";
    this.hearing = { ...this.hearing, correction: "" };
    this.forgetSounds();
    this.user.classList.add("is-waiting");
    this.userTools.replaceChildren();
    this.#panel.hide();
    this.reply.replaceChildren();
    this.assistant.remove();
  }

  piece(piece) {
    this.assistant.classList.remove("is-waiting");
    this.reply.append(piece);
  }

  speech(samples) {
    this.stretches.push(samples);
  }

  /** The answer is complete, or as complete as it gets. */
  finished(answer) {
    const { reply, failure, was_stopped } = answer;
    this.isOpen = false;
    this.answer = answer;
    this.key = answer.key ?? this.key;
    this.assistant.classList.remove("is-waiting");
    this.reply.textContent = reply;
    if (was_stopped) this.reply.append(make("span", { class: "stopped" }, text("stopped")));
    this.replyTools.replaceChildren();
    if (reply) {
      this.replyTools.append(tool("play", "replay", () => this.#actions.replay(this)));
      if (this.stretches.length) this.replyTools.append(tool("download", "download", () => download("attune-reply.wav", wav(this.stretches))));
    }
    this.replyTools.append(this.#why);
    this.#panel.answered();
    if (failure) this.assistant.append(make("p", { class: "failure" }, failure));
  }

  /** How the reply was meant to be said; "" where it was stopped before that was told. */
  get tone() {
    return this.answer && "total" in this.answer.timings_ms ? this.answer.style : "";
  }

  get isHeard() {
    return this.assistant.isConnected;
  }

  /** All of it was heard; `gaps` times the sound came too late. */
  sounded(gaps) {
    this.gaps = gaps;
    this.#panel.answered();
  }

  /** It was interrupted after these words. */
  stopAfter(reply) {
    const written = this.answer?.written ?? this.reply.textContent;
    this.finished({ timings_ms: {}, ...this.answer, written, reply, failure: "", was_stopped: true });
  }

  /** It ends without a complete answer: what there is stays, a turn that was never heard goes. */
  breakOff() {
    if (this.isHeard) this.stopAfter(this.reply.textContent);
    else this.user.remove();
  }

  /** In bytes: of what was said as sound and of the reply, where the page has them. */
  get soundSizes() {
    const reply = this.stretches.reduce((sum, { byteLength }) => sum + byteLength, 0);
    return [this.own?.size, reply].filter(Boolean);
  }

  /** What was said and answered as sound is not kept any more. */
  forgetSounds() {
    this.own = null;
    this.stretches = [];
    for (const tools of [this.replyTools, this.#panel.element]) tools.querySelector(OF_SOUND)?.remove();
  }
}

function bubble(role, name, ...content) {
  return make("li", { class: `turn ${role}` }, make("p", { class: "hidden-text" }, text(name)), ...content);
}

function tool(picture, key, onclick) {
  return make("button", { type: "button", class: "tool", title: text(key), onclick, data: { do: key }, aria: { label: text(key) } }, icon(picture));
}
