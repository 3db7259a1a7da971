/**
 * What must be in order before the first word: checked in this order, within a second when all of it is.
 *
 * secure → microphone → output → echo → level → network. What stands in the way is thrown; what only makes the
 * talk worse is noted.
 */
import { Obstacle, knownObstacle } from "../recorder.js";
import { address } from "../server.js";
import { Line } from "./line.js";
import { Loudspeaker } from "./loudspeaker.js";
import { Microphone } from "./microphone.js";

export const CHECKS = ["secure", "microphone", "output", "echo", "level", "network"];

const WORKLETS = ["microphone", "loudspeaker"];
const RUNNING_WITHIN_MS = 1000;

/**
 * Everything a talk needs, open. `note(check, state, detail)` hears of each check: "ok", or "poor" with a key of
 * the fixed texts. Called from a tap, because sound may begin only there. Throws `Obstacle`, `Blocked`, `Refused`.
 */
export async function prepare(settings, begin, note) {
  const parts = { context: new AudioContext({ latencyHint: "interactive" }), line: new Line(begin) };
  try {
    await open(parts, settings, note);
    return parts;
  } catch (error) {
    close(parts);
    throw error;
  }
}

export function close({ context, microphone, line }) {
  microphone?.close();
  line.close();
  context.close();
}

async function open(parts, { input, output, aloud, hears_while_speaking }, note) {
  const { context, line } = parts;
  const isRunning = within(context.resume(), RUNNING_WITHIN_MS);
  const known = knownObstacle();
  if (known) throw new Obstacle(known);
  note("secure", "ok");
  parts.microphone = await Microphone.open(input);
  note("microphone", "ok", parts.microphone.name);
  if (!(await isRunning)) throw new Obstacle("outputBlocked");
  await Promise.all(WORKLETS.map((name) => context.audioWorklet.addModule(address(`static/live/${name}.worklet.js`))));
  parts.loudspeaker = new Loudspeaker(context, !aloud);
  note("output", ...(await choose(context, output)));
  note("echo", ...(parts.microphone.cancelsEcho || !hears_while_speaking ? ["ok"] : ["poor", "echoHint"]));
  note("level", ...(parts.microphone.isSwitchedOff ? ["poor", "levelDead"] : ["ok"]));
  parts.microphone.listen(context);
  const began = performance.now();
  parts.begun = await line.open();
  const took = Math.round(performance.now() - began);
  note("network", "ok", `${took} ms`);
}

/** Where the reply sounds. */
async function choose(context, deviceId) {
  if (!deviceId || !context.setSinkId) return ["ok"];
  try {
    await context.setSinkId(deviceId);
    return ["ok"];
  } catch {
    return ["poor", "outputGone"];
  }
}

/** Whether it comes true by then. */
export function within(promise, ms) {
  const isDone = promise.then(
    () => true,
    () => false,
  );
  return Promise.race([isDone, new Promise((resolve) => setTimeout(() => resolve(false), ms))]);
}
