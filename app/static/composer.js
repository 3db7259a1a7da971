/** The person's side: the button to talk, the text box, the file chooser, the state and the messages. */
import { make } from "./dom.js";
import { Keys } from "./keys.js";
import { Ring } from "./ring.js";
import { text } from "./texts.js";

const BUSY = ["hearing", "thinking", "speaking"];
const CANCELLABLE = ["recording", "preparing"];

export class Composer {
  #root;
  #message;
  #state;
  #ring;
  #keys;
  #clock = null;

  constructor(root) {
    this.#root = root;
    this.#message = root.querySelector(".message");
    this.#state = root.querySelector(".state");
    this.#ring = new Ring(root.querySelector(".patience"));
    this.talk = this.#button("talk");
    this.mute = this.#button("mute");
    this.cancel = this.#button("cancel");
    this.stop = this.#button("stop");
    this.clear = this.#button("clear");
    this.textarea = root.querySelector("textarea");
    this.maxFileBytes = Infinity;
  }

  /** `actions`: talk(), press(), release(), mute(), cancel(), stop(), clear(), send(Blob or text). */
  connect(actions) {
    const form = this.#root.querySelector("form.typed");
    const chooser = form.querySelector(".file");
    this.#keys = new Keys(this.talk, actions);
    this.talk.onclick = actions.talk;
    this.mute.onclick = actions.mute;
    this.cancel.onclick = actions.cancel;
    this.stop.onclick = actions.stop;
    this.clear.onclick = actions.clear;
    this.#button("file").onclick = () => chooser.click();
    chooser.onchange = () => {
      this.#offer([...chooser.files], actions.send);
      chooser.value = "";
    };
    form.onsubmit = (event) => {
      event.preventDefault();
      const typed = this.textarea.value.trim();
      if (!typed || !this.isOpen) return;
      this.textarea.value = "";
      this.#allowSending();
      actions.send(typed);
    };
    this.textarea.oninput = () => this.#allowSending();
    this.textarea.onkeydown = (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    };
    this.#root.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.#root.querySelector("dialog[open]")) this.#escape();
    });
    this.#takeDrops(actions.send);
  }

  /** Whether a turn can be begun. */
  get isOpen() {
    return !["loading", "failed", "recording"].includes(this.#root.dataset.state);
  }

  /** `live` is the hands-free talk, while there is one. */
  show(state, live) {
    const isRecording = state === "recording";
    const isPushed = Boolean(live?.isPushed);
    this.#root.dataset.state = state;
    this.#root.dataset.live = live ? (isPushed ? "push" : "free") : "off";
    this.#root.dataset.muted = String(Boolean(live?.isMuted));
    this.#tell(text(stateKey(state, live)), Boolean(live));
    this.#keepTime(isRecording);
    this.#keys.follow(live);
    this.talk.disabled = state === "loading" || state === "failed";
    this.talk.title = text(talkKey(state, live));
    this.talk.querySelector('[data-part="talk-label"]').textContent = this.talk.title;
    this.mute.setAttribute("aria-pressed", String(Boolean(live?.isMuted)));
    this.#swap(this.mute, Boolean(live) && !isPushed);
    this.#swap(this.cancel, isPushed || CANCELLABLE.includes(state));
    this.cancel.textContent = text(isPushed ? "endTalk" : "cancel");
    this.#swap(this.stop, BUSY.includes(state));
    this.#allowSending();
    if (!isRecording && !live) this.level(0);
    if (!live) this.lower(false);
  }

  /** How much more silence would end the turn, as a ring that closes; null: nothing is waited for. */
  patience(neededS) {
    this.#ring.show(neededS);
  }

  /** Whether the reply is quieter, because somebody may want the word. */
  lower(isLow) {
    this.#root.dataset.low = String(isLow);
  }

  level(value) {
    this.talk.style.setProperty("--level", value.toFixed(2));
  }

  /** One message of what went wrong, until the next turn or until it is closed. */
  say(message, ...more) {
    this.#message.classList.remove("is-calm");
    this.#write(message, ...more);
  }

  /** The same, where nothing is wrong. */
  note(message) {
    this.#message.classList.add("is-calm");
    this.#write(message);
  }

  #write(message, ...more) {
    const close = make("button", { type: "button", class: "tool", aria: { label: text("close") }, onclick: () => this.hush() }, "×");
    this.#message.replaceChildren(make("p", {}, message, " ", ...more), close);
    this.#message.hidden = false;
  }

  hush() {
    this.#message.hidden = true;
    this.#message.replaceChildren();
  }

  /** Do it, or say that the server cannot be reached. */
  async guarded(work) {
    try {
      return await work();
    } catch (error) {
      this.say(text(error.message));
      return null;
    }
  }

  /** For those who listen to the page instead of looking at it. */
  announce(message) {
    this.#root.querySelector(".announcer").textContent = message;
  }

  #button(name) {
    return this.#root.querySelector(`[data-do="${name}"]`);
  }

  /** Hands-free, a voice that reads every change of state would talk into the microphone. */
  #tell(message, isLive) {
    this.#state.setAttribute("aria-live", isLive ? "off" : "polite");
    this.#state.textContent = message;
  }

  /** Show or hide a button without losing the keyboard's place. */
  #swap(button, isShown) {
    if (!isShown && button === document.activeElement) this.talk.focus();
    button.hidden = !isShown;
  }

  #allowSending() {
    this.#root.querySelector(".send").disabled = !this.isOpen || !this.textarea.value.trim();
  }

  #escape() {
    [this.cancel, this.stop].find((button) => !button.hidden)?.click();
  }

  #keepTime(isRecording) {
    clearInterval(this.#clock);
    if (!isRecording) return;
    const began = Date.now();
    const time = make("span", { class: "time", ariaHidden: "true" });
    const tick = () => {
      const seconds = Math.floor((Date.now() - began) / 1000);
      time.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    };
    tick();
    this.#state.prepend(time, " ");
    this.#clock = setInterval(tick, 500);
  }

  #takeDrops(send) {
    const veil = this.#root.querySelector(".drop");
    this.#root.addEventListener("dragover", (event) => {
      event.preventDefault();
      veil.hidden = !this.isOpen;
    });
    this.#root.addEventListener("dragleave", (event) => {
      if (!this.#root.contains(event.relatedTarget)) veil.hidden = true;
    });
    this.#root.addEventListener("drop", (event) => {
      event.preventDefault();
      veil.hidden = true;
      this.#offer([...event.dataTransfer.files], send);
    });
  }

  /** Refuse what cannot be heard before a byte of it travels. */
  #offer(files, send) {
    if (!files.length || !this.isOpen) return;
    const [file] = files;
    const mb = (bytes) => Math.round(bytes / 2 ** 20);
    if (files.length > 1) this.say(text("oneFile"));
    else if (file.size === 0) this.say(text("fileEmpty", { name: file.name }));
    else if (file.size > this.maxFileBytes)
      this.say(text("fileTooLarge", { name: file.name, size: mb(file.size), limit: mb(this.maxFileBytes) }));
    else send(file);
  }
}

function stateKey(state, live) {
  // Who points with a finger has no Space bar.
  const touch = matchMedia("(pointer: coarse)").matches ? "Touch" : "";
  if (state === "open" && live?.isPushed) return `stateHold${touch}`;
  if (state === "open" && live?.isMuted) return `stateMuted${touch}`;
  if (state === "speaking" && live?.isInterruptible) return "stateYielding";
  return `state${state[0].toUpperCase()}${state.slice(1)}`;
}

function talkKey(state, live) {
  if (live) return live.isPushed ? "hold" : "endTalk";
  return state === "recording" ? "done" : "talk";
}
