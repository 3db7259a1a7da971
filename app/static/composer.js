/** The person's side: the button to talk, the text box, the file chooser, the state and the messages. */
import { make } from "./dom.js";
import { text } from "./texts.js";

const BUSY = ["hearing", "thinking", "speaking"];

export class Composer {
  #root;
  #message;
  #state;
  #clock = null;

  constructor(root) {
    this.#root = root;
    this.#message = root.querySelector(".message");
    this.#state = root.querySelector(".state");
    this.talk = this.#button("talk");
    this.cancel = this.#button("cancel");
    this.stop = this.#button("stop");
    this.clear = this.#button("clear");
    this.textarea = root.querySelector("textarea");
    this.maxFileBytes = Infinity;
  }

  /** `actions`: talk(), cancel(), stop(), clear(), send(Blob or text). */
  connect(actions) {
    const form = this.#root.querySelector("form.typed");
    const chooser = form.querySelector(".file");
    this.talk.onclick = actions.talk;
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

  show(state) {
    this.#root.dataset.state = state;
    const isRecording = state === "recording";
    this.#state.textContent = text(`state${state[0].toUpperCase()}${state.slice(1)}`);
    this.#keepTime(isRecording);
    this.talk.disabled = state === "loading" || state === "failed";
    this.talk.querySelector('[data-part="talk-label"]').textContent = text(isRecording ? "done" : "talk");
    this.#swap(this.cancel, isRecording);
    this.#swap(this.stop, BUSY.includes(state));
    this.#allowSending();
    if (!isRecording) this.level(0);
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

  /** For those who listen to the page instead of looking at it. */
  announce(message) {
    this.#root.querySelector(".announcer").textContent = message;
  }

  #button(name) {
    return this.#root.querySelector(`[data-do="${name}"]`);
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
