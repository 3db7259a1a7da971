/** Hands-free talk by key and by thumb: Space mutes, or is held to talk; so is the big button. */

const OTHERS = "input, textarea, select, a, summary, dialog, button";

export class Keys {
  #button;
  #actions;
  #live = null;
  #isDown = false;

  constructor(button, actions) {
    this.#button = button;
    this.#actions = actions;
    document.addEventListener("keydown", (event) => this.#key(event, true));
    document.addEventListener("keyup", (event) => this.#key(event, false));
    button.addEventListener("pointerdown", (event) => {
      button.setPointerCapture(event.pointerId);
      this.#hold(true);
    });
    for (const up of ["pointerup", "pointercancel", "blur"]) button.addEventListener(up, () => this.#hold(false));
    button.addEventListener("contextmenu", (event) => this.#live?.isPushed && event.preventDefault());
  }

  /** The talk whose keys these are, or null. */
  follow(live) {
    this.#live = live;
    if (!live) this.#isDown = false;
  }

  #key(event, isDown) {
    if (event.code !== "Space" || !this.#live || this.#isForAnother(event.target)) return;
    // On the button, Space would click it and end the talk.
    event.preventDefault();
    if (event.repeat) return;
    if (this.#live.isPushed) this.#hold(isDown);
    else if (isDown) this.#actions.mute();
  }

  #isForAnother(target) {
    return target !== this.#button && Boolean(target.closest?.(OTHERS));
  }

  #hold(isDown) {
    if (!this.#live?.isPushed || this.#isDown === isDown) return;
    this.#isDown = isDown;
    if (isDown) this.#actions.press();
    else this.#actions.release();
  }
}
