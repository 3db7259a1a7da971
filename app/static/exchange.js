/** One turn and its answer on the page: two list items that fill as the events come. */
import { icon, make } from "./dom.js";
import { chip } from "./feeling.js";
import { latency } from "./latency.js";
import { said } from "./said.js";
import { wav } from "./sound.js";
import { text } from "./texts.js";

let count = 0;

export class Exchange {
  /** `actions`: replayOwn(Blob), replay(exchange), stop(). `own` is the recording or typed text. */
  constructor(list, actions, own = null) {
    this.actions = actions;
    this.own = own instanceof Blob ? own : null;
    this.stretches = [];
    /** Heard, and not yet answered in full. */
    this.isOpen = false;
    this.timings = {};
    this.words = make("p", { class: "words" }, typeof own === "string" ? own : "");
    this.userTools = make("div", { class: "tools" });
    this.reply = make("p", { class: "words" });
    this.replyTools = make("div", { class: "tools" });
    this.user = bubble("user", "you", this.words, this.userTools);
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
    this.user.classList.remove("is-waiting", "is-captioned");
    this.words.ariaBusy = null;
    this.words.style.minHeight = "";
    const instead = event.is_silence ? "heardNothing" : event.is_foreign ? "heardForeign" : "";
    this.words.replaceChildren(...(instead ? [text(instead)] : said(event)));
    this.words.classList.toggle("is-faint", Boolean(instead));
    this.hadFeeling = !event.is_silence;
    if (this.hadFeeling) {
      const [button, panel] = chip(event.emotion, `feeling-${count++}`);
      this.userTools.append(button);
      this.user.append(panel);
    }
    if (this.own) this.userTools.append(tool("play", "replayOwn", () => this.actions.replayOwn(this.own)));
    this.isOpen = true;
    this.user.after(this.assistant);
    this.assistant.classList.add("is-waiting");
  }

  /** The turn was not over: the words stay as a caption, all else goes. */
  reopen() {
    this.user.classList.add("is-waiting");
    this.userTools.replaceChildren();
    this.user.querySelector(".panel")?.remove();
    this.reply.replaceChildren();
    this.assistant.remove();
  }

  piece(piece) {
    this.assistant.classList.remove("is-waiting");
    this.reply.append(piece);
  }

  /** Samples of the reply, kept in memory for replay and download. */
  speech(samples) {
    this.stretches.push(samples);
  }

  /** The answer is complete, or as complete as it gets. */
  finished({ reply, timings_ms, failure, was_stopped = false }) {
    this.isOpen = false;
    this.timings = timings_ms;
    this.assistant.classList.remove("is-waiting");
    this.reply.textContent = reply;
    if (was_stopped) this.reply.append(make("span", { class: "stopped" }, text("stopped")));
    this.replyTools.replaceChildren();
    if (reply) {
      this.replyTools.append(tool("play", "replay", () => this.actions.replay(this)));
      if (this.stretches.length) this.replyTools.append(tool("download", "download", () => this.#download()));
    }
    const timing = latency(timings_ms);
    if (timing) this.replyTools.append(timing);
    if (failure) this.assistant.append(make("p", { class: "failure" }, failure));
  }

  get isHeard() {
    return this.assistant.isConnected;
  }

  /** All of it was heard; `gaps` times the sound came too late. */
  sounded(gaps) {
    if (gaps) this.replyTools.querySelector(".latency ul")?.append(make("li", {}, text("timingGaps", { gaps })));
  }

  /** It was interrupted after these words. */
  stopAfter(reply) {
    this.finished({ reply, timings_ms: this.timings, failure: "", was_stopped: true });
  }

  /** It ends without a complete answer: what there is stays, a turn that was never heard goes. */
  breakOff() {
    if (this.isHeard) this.stopAfter(this.reply.textContent);
    else this.user.remove();
  }

  #download() {
    const url = URL.createObjectURL(wav(this.stretches));
    make("a", { href: url, download: "attune-reply.wav" }).click();
    URL.revokeObjectURL(url);
  }
}

function bubble(role, name, ...content) {
  return make("li", { class: `turn ${role}` }, make("p", { class: "hidden-text" }, text(name)), ...content);
}

function tool(picture, key, onclick) {
  return make("button", { type: "button", class: "tool", title: text(key), onclick, aria: { label: text(key) } }, icon(picture));
}
