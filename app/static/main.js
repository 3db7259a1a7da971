/** The page: finds its elements and joins them to the conversation. Started by Gradio when the HTML is there. */
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { make } from "./dom.js";
import { Consent } from "./kept/consent.js";
import { Kept } from "./kept/kept.js";
import { Offer } from "./kept/offer.js";
import { LookBack } from "./look_back/look_back.js";
import { Server, address } from "./server.js";
import { Settings } from "./settings.js";
import { showStanding, showStart } from "./start.js";
import { text, translate } from "./texts.js";

export async function start(element) {
  const root = element.querySelector(".attune");
  const server = new Server();
  const composer = new Composer(root);
  const settings = new Settings(root.querySelector("dialog.settings"));
  translate(root, settings.values.language);
  const conversation = new Conversation(root, server, composer, settings);
  settings.onchange = () => {
    translate(root, settings.values.language);
    conversation.rewish();
  };
  settings.oncheck = () => conversation.check();
  settings.onchoose = change;
  root.querySelector('[data-do="settings"]').onclick = () => settings.open();
  const lookBack = new LookBack(root.querySelector("dialog.look-back"), server, conversation);
  root.querySelector('[data-do="look-back"]').onclick = () => lookBack.open();
  const consent = new Consent(server);
  const offer = new Offer(root.querySelector("dialog.consent"), consent, server, conversation);
  const kept = new Kept(root.querySelector("dialog.kept"), { server, conversation, settings, consent });
  consent.onchange = () => offer.show();
  consent.onproblem = (message) => composer.say(text(message));
  conversation.oncorrected = (exchange) => consent.follow(exchange);
  conversation.ondropped = (key) => consent.drop(key);
  conversation.offer = (exchange) => offer.of(exchange);
  for (const place of [settings, lookBack, offer]) place.onkept = () => kept.open();

  let isChanging = false;

  async function change() {
    isChanging = true;
    await follow(server.choose(settings.choice));
  }

  async function follow(statuses) {
    try {
      for await (const status of statuses) {
        if (status.type === "problem") composer.say(status.message);
        else show(status);
      }
    } catch (error) {
      composer.say(text(error.message));
    }
  }

  /** An engine in use goes on answering while another one is loaded, or could not be. */
  function tellOfChange({ phase, problem }) {
    if (phase === "loading") composer.note(text("startChanging"));
    else if (phase === "failed") composer.say(problem);
    else composer.hush();
  }

  function show(status) {
    if (status.engine && isChanging) tellOfChange(status);
    showStart(root.querySelector(".start"), status);
    showStanding(root.querySelector(".standing"), status.engine);
    root.querySelector(".safety").textContent = status.safety;
    composer.maxFileBytes = status.max_file_bytes;
    settings.show(status);
    conversation.prepared(status);
  }

  showExamples(root.querySelector(".examples"), conversation);
  try {
    await conversation.open();
  } catch (error) {
    composer.say(text(error.message));
  }
  await follow(server.status());
  if (settings.wantsOther) await change();
}

async function showExamples(place, conversation) {
  const examples = await (await fetch(address("examples/examples.json"))).json();
  const send = async (button, file) => {
    button.disabled = true;
    await conversation.send(await (await fetch(address(`examples/${file}`))).blob());
    button.disabled = false;
  };
  const buttons = examples.map(({ file, says }) =>
    make("button", { type: "button", class: "example", onclick: ({ target }) => send(target, file) }, `“${says}”`),
  );
  place.querySelector("ul").replaceChildren(...buttons.map((button) => make("li", {}, button)));
  place.hidden = false;
}
