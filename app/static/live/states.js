/** Who has the word: the server's states (`app/live/machine.py`) and what the page shows for them. */
export const STATES = {
  listening: "open",
  hearing: "talking",
  pausing: "talking",
  deciding: "talking",
  thinking: "thinking",
  replying: "thinking",
  speaking: "speaking",
  doubting: "speaking",
};

/** Those in which a silence may end the turn. */
export const WAITING = ["pausing", "deciding"];
