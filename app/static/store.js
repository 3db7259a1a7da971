/** What the browser keeps for us; a browser that forbids it (a frame, strict privacy) keeps nothing. */

/** `place` is "local" (this browser) or "session" (this tab). */
export function recall(place, key) {
  try {
    return JSON.parse(window[`${place}Storage`].getItem(key));
  } catch {
    return null;
  }
}

export function keep(place, key, value) {
  try {
    window[`${place}Storage`].setItem(key, JSON.stringify(value));
  } catch {
    // The page works without; what was to be kept is asked for again next time.
  }
}
