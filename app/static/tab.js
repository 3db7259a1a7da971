/** Which conversation this tab is in: kept over a reload, and never shared with a copy of the tab. */
import { keep, recall } from "./store.js";

const KEY = "attune.conversation";
const ANSWER_WITHIN_MS = 60;

export const rememberedId = {
  /** The id from before a reload, or null. A duplicated tab inherits it, and is told so by the original. */
  async take() {
    const id = recall("session", KEY);
    return id && !(await isTaken(id)) ? id : null;
  },

  keep(id) {
    keep("session", KEY, id);
    const channel = new BroadcastChannel(KEY);
    channel.onmessage = ({ data }) => data.ask === id && channel.postMessage({ taken: id });
  },
};

function isTaken(id) {
  const channel = new BroadcastChannel(KEY);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ANSWER_WITHIN_MS);
    channel.onmessage = ({ data }) => {
      if (data.taken !== id) return;
      clearTimeout(timer);
      resolve(true);
    };
    channel.postMessage({ ask: id });
  }).finally(() => channel.close());
}
