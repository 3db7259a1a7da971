"""`evaluate captions`: word error rate of the ears on whole files.

`--compare` puts greedy decoding and pocketsphinx beside the beam, on the same clips; `--streamed` the words
as they are heard live, with the times one waits for them.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence

from engine import audio
from engine.ears.beam import greedy
from engine.ears.mini import Encoded, MiniEars
from engine.errors import BadInput, PartMissing
from train import conditions
from train.conditions import Condition
from train.corpus import Clip
from train.evaluation import select
from train.evaluation.streamed import StreamDecoder
from train.progress import ProgressLine
from train.scores import word_errors

Decoder = Callable[[list[Encoded], audio.Audio], str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    select.add_arguments(parser, "speech.jsonl")
    conditions.add_arguments(parser)
    parser.add_argument("--compare", action="store_true", help="also greedy decoding and pocketsphinx")
    parser.add_argument("--streamed", action="store_true", help="also fed in pieces of 20 ms, with the times")


def run(args: argparse.Namespace) -> None:
    problems, ears = select.Problems(as_json=args.json), select.ears(args.ears)
    decoders = {"beam": beam(ears)}
    if args.compare:
        decoders["greedy"] = lambda encoded, _: " ".join(greedy(window.log_probs) for window in encoded)
        decoders["pocketsphinx"] = _pocketsphinx()
    if args.streamed:
        decoders["streamed"] = streamed = StreamDecoder(ears)
    clips = [clip for clip in select.clips(args, problems) if clip.text]
    reports = measure(ears, clips, decoders, conditions.chosen(args), problems)
    report = dict(reports["beam"])
    if len(decoders) > 1:
        report["decoders"] = reports
    if args.streamed:
        report["streamed"] = reports["streamed"] | streamed.times()
    _show(report, as_json=args.json)
    problems.raise_if_any()


def beam(ears: MiniEars) -> Decoder:
    """The words as the program finds them."""
    return lambda encoded, _: " ".join(filter(None, map(ears.words, encoded)))


def measure(
    ears: MiniEars,
    clips: Sequence[Clip],
    decoders: Mapping[str, Decoder],
    condition: Condition,
    problems: select.Problems,
) -> dict[str, dict]:
    """The report of every decoder on clips with texts. Raises `BadInput` when no clip can be measured."""
    measured, errors = [], {name: [] for name in decoders}
    with ProgressLine(f"captions, {condition.name}") as line:
        for done, clip in enumerate(clips, start=1):
            try:
                sound = condition.read(clip.path)
            except BadInput as error:
                problems.add(clip.path, error)
                continue
            encoded, _ = ears.encode(sound)
            measured.append(clip)
            for name, decode in decoders.items():
                errors[name].append(word_errors(clip.text, decode(encoded, sound)))
            line.update(done, len(clips))
    if not measured:
        raise BadInput("None of the chosen clips has a text and can be heard.")
    return {name: _report(measured, counts) for name, counts in errors.items()}


def _report(clips: Sequence[Clip], errors: Sequence[tuple[int, int]]) -> dict:
    def rate(indices: Sequence[int]) -> dict:
        wrong, words = (sum(errors[index][part] for index in indices) for part in (0, 1))
        return {"wer": round(wrong / max(words, 1), 4), "n": len(indices)}

    return {
        **rate(range(len(clips))),
        "by_corpus": select.by(lambda clip: clip.corpus, clips, rate),
        "by_language": select.by(lambda clip: clip.language, clips, rate),
    }


def _pocketsphinx() -> Decoder:
    try:
        import pocketsphinx
    except ImportError as error:
        raise PartMissing(
            "The comparison needs pocketsphinx: pip install -r requirements-train.txt"
        ) from error
    decoder = pocketsphinx.Decoder(samprate=audio.SPEECH_RATE_HZ, loglevel="FATAL")

    def decode(_: list[Encoded], sound: audio.Audio) -> str:
        decoder.start_utt()
        pcm = (sound.samples.clip(-1, 1) * 32767).astype("<i2").tobytes()
        decoder.process_raw(pcm, full_utt=True)
        decoder.end_utt()
        return decoder.hyp().hypstr if decoder.hyp() else ""

    return decode


def _show(report: dict, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(report) + "\n")
        return
    decoders = report.get("decoders", {"beam": report})
    write = sys.stdout.write
    write(f"{'corpus':<32}{'clips':>6}" + "".join(f"{name:>14}" for name in decoders) + "\n")
    for corpus in ("all", *report["by_corpus"]):
        rows = [whole if corpus == "all" else whole["by_corpus"][corpus] for whole in decoders.values()]
        write(f"{corpus:<32}{rows[0]['n']:>6}" + "".join(f"{row['wer']:>14.1%}" for row in rows) + "\n")
    if "streamed" in report:
        for key in ("first_partial_ms", "finish_ms"):
            if times := report["streamed"].get(key):
                write(f"{key:<32}{times['p50']:>6.0f} median, {times['p95']:.0f} in 95 % of the turns\n")
