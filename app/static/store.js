/** What the browser keeps for us; a browser that forbids it (a frame, strict privacy) keeps nothing. */

/** `place` is "local" (this browser) or "session" (this tab). */
export function recall(place, key) {
  try {
    return JSON.parse(window[`${place}Storage`].getItem(key));
  } catch {
    return null;
  }
}

/** Everything of ours: place, key, and about how many bytes that takes. */
export function ours() {
  const places = ["local", "session"].filter(isAllowed);
  return places.flatMap((place) =>
    Object.entries(window[`${place}Storage`])
      .filter(([key]) => key.startsWith("attune."))
      .map(([key, value]) => ({ place, key, size: 2 * (key.length + value.length) })),
  );
}

export function forget(place, key) {
  if (isAllowed(place)) window[`${place}Storage`].removeItem(key);
}

function isAllowed(place) {
  try {
    return Boolean(window[`${place}Storage`]);
  } catch {
    return false;
  }
}

/** Whether it could be kept: the page works without, and asks for it again next time. */
export function keep(place, key, value) {
  try {
    window[`${place}Storage`].setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
