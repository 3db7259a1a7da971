/**
 * Everything that is kept, as values with a place, a size and how to erase it: of this page, of this browser, and
 * of the program.
 */
import { forget, ours } from "../store.js";
import { text } from "../texts.js";

const COUNTED = ["sounds", "conversation", "voice", "corrections", "uploads"];
const ALONE = { taught: "taught", "cache/train": "training", "cache/licences.jsonl": "licences" };

/** All of it; `about` is what the server says, or null where it does not. The order is that in which it is shown. */
export function everything(about, { conversation, settings, consent }) {
  return [...ofPage(conversation), ...ofBrowser(settings, consent), ...(about ? ofServer(about, conversation, consent) : [])];
}

/** What was said and answered as sound: in this page's memory alone. */
function ofPage(conversation) {
  const sizes = conversation.soundSizes;
  if (!sizes.length) return [];
  const erase = async () => conversation.forgetSounds();
  return [item("sounds", "page", sizes.length, sizes.reduce((sum, size) => sum + size, 0), erase)];
}

function ofBrowser(settings, consent) {
  const resets = { "attune.settings": () => settings.reset(), "attune.corrections": () => consent.reset() };
  return ours().map(({ place, key, size }) =>
    item(key.replace("attune.", "own-"), "browser", 1, size, async () => {
      forget(place, key);
      resets[key]?.();
    }),
  );
}

function ofServer({ items }, conversation, consent) {
  const erasers = {
    conversation: async () => {
      // Clearing it alone would keep what its corrections taught, for the conversation after.
      const problems = await consent.erase(["conversation"]);
      await conversation.clear();
      return problems;
    },
    voice: async () => {
      const problems = await consent.erase(["voice"]);
      conversation.voiceErased();
      return problems;
    },
  };
  return items.map(({ id, place, name, count, size_bytes }) => {
    const erase = erasers[id] ?? (() => consent.erase([id]));
    const isNamed = COUNTED.includes(id) || id in ALONE;
    return { ...item(id, place, count, size_bytes, erase), isOfServer: true, ...(isNamed ? {} : { name }) };
  });
}

function item(id, place, count, size, erase) {
  return { id, place, size, erase, name: named(id, count), isOfServer: false };
}

function named(id, count) {
  return text(`kept.names.${ALONE[id] ?? id}${COUNTED.includes(id) && count === 1 ? "One" : ""}`, { count });
}
