"""`evaluate captions`: word error rate of the ears on whole files.

`--compare` puts greedy decoding and pocketsphinx beside the beam, on the same clips.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence

from engine import audio
from engine.ears.beam import greedy
from engine.ears.mini import Encoded
from engine.errors import BadInput, PartMissing
from train.corpus import Clip
from train.evaluation import select
from train.progress import ProgressLine
from train.scores import word_errors

Decoder = Callable[[list[Encoded], audio.Audio], str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    select.add_arguments(parser, "speech.jsonl")
    parser.add_argument("--compare", action="store_true", help="also greedy decoding and pocketsphinx")


def run(args: argparse.Namespace) -> None:
    clips = [clip for clip in select.clips(args) if clip.text]
    if not clips:
        raise BadInput("None of the chosen clips has a text to compare with.")
    ears = select.ears(args)
    decoders: dict[str, Decoder] = {"beam": lambda encoded, _: " ".join(map(ears.words, encoded))}
    if args.compare:
        decoders["greedy"] = lambda encoded, _: " ".join(greedy(window.log_probs) for window in encoded)
        decoders["pocketsphinx"] = _pocketsphinx()
    errors = {name: [] for name in decoders}
    with ProgressLine("captions") as line:
        for done, clip in enumerate(clips, start=1):
            sound = audio.read(clip.path)
            encoded, _ = ears.encode(sound)
            for name, decode in decoders.items():
                errors[name].append(word_errors(clip.text, decode(encoded, sound)))
            line.update(done, len(clips))
    report = _report(clips, errors["beam"])
    if args.compare:
        report["decoders"] = {name: _report(clips, counts) for name, counts in errors.items()}
    _show(report, as_json=args.json)


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
