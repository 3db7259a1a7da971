/** What a corrected turn ends with: the invitation to keep the correction, or where it is kept. */
import { make } from "../dom.js";
import { text } from "../texts.js";
import { Asking } from "./asking.js";
import { downloadCorrections, withSound } from "./pack.js";

export class Offer {
  /** The person wants to see what is kept. */
  onkept = () => {};
  #consent;
  #server;
  #conversation;
  #asking;
  /** The newest element of each exchange. */
  #shown = new Map();

  constructor(dialog, consent, server, conversation) {
    this.#consent = consent;
    this.#server = server;
    this.#conversation = conversation;
    this.#asking = new Asking(dialog, consent);
  }

  /** The element for that exchange, which changes with the decision. */
  of(exchange) {
    const element = make("div", { class: "keep", ariaLive: "polite" });
    this.#shown.set(exchange, element);
    this.#draw(exchange, element);
    this.#guarded(element, () => this.#consent.refresh());
    return element;
  }

  /** Something has changed. */
  show() {
    for (const [exchange, element] of this.#shown) {
      if (element.isConnected) this.#draw(exchange, element);
      else this.#shown.delete(exchange);
    }
  }

  #draw(exchange, element) {
    element.replaceChildren(...this.#content(exchange, element));
  }

  #content(exchange, element) {
    const { about, isGiven, isRefused, folder } = this.#consent;
    if (!about) return [];
    if (isGiven && this.#consent.isKept(exchange)) return [said("keptIn", { folder }), this.#link("title", () => this.onkept())];
    if (isRefused) return [];
    if (!exchange.own) return [said("noSound")];
    if (!about.is_private) return [said("takeAlong"), this.#button("download", () => this.#guarded(element, () => this.#download()))];
    if (isGiven) return [said("notYet"), this.#button("keepToo", () => this.#guarded(element, () => this.#consent.add(exchange)))];
    return [
      said("ask"),
      this.#button("choose", () => this.#asking.open(exchange)),
      this.#link("refuse", () => this.#refuse(exchange)),
    ];
  }

  #refuse(exchange) {
    this.#consent.refuse();
    // The button that was pressed is gone.
    exchange.user.querySelector('.choice[aria-pressed="true"]')?.focus();
  }

  #download() {
    return downloadCorrections(this.#server, this.#consent, withSound(this.#conversation.exchanges));
  }

  async #guarded(element, work) {
    try {
      await work();
    } catch (error) {
      element.replaceChildren(make("p", { class: "failed" }, text(error.message)));
    }
  }

  #button(key, onclick) {
    return make("button", { type: "button", class: "quiet side", onclick }, text(`kept.${key}`));
  }

  #link(key, onclick) {
    return make("button", { type: "button", class: "link", onclick }, text(`kept.${key}`));
  }
}

function said(key, values) {
  return make("p", {}, text(`kept.${key}`, values));
}
