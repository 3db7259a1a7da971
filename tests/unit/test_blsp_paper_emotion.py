"""The paper's emotions: one reading for five labels, and their place among our seven."""

import pytest
import torch

from engine.blsp_emo import chatml
from engine.blsp_emo.paper_emotion import PAPER_LABELS, asked, in_seven, pooled
from engine.blsp_emo.prompts import Segment, join
from engine.emotion import EMOTIONS
from tests.unit.blsp_conversations import build_model, build_tokenizer, written
from tests.unit.tiny_blsp import utterances


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return build_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(params=["subsampler", "cformer"])
def model(request):
    return build_model(request.param)


@torch.inference_mode()
def test_scores_are_those_of_the_whole_answers(model, tokenizer):
    speech = model.hear(*utterances(90))
    log_likelihoods = []
    for label in PAPER_LABELS:
        answer = [tokenizer.newline, *tokenizer.encode(label)]
        question = [*chatml.user_start_ids(tokenizer, chatml.SYSTEM), *tokenizer.encode(chatml.NAME_EMOTION)]
        segments = [
            written(model, question),
            Segment(speech.embeds, speech.mask, is_speech=True),
            written(model, [*chatml.answer_start_ids(tokenizer), *answer]),
        ]
        # The published LoRA acts on speech only, so one pass over question and answer is the same.
        logits = model.llm.lm_head(model(join(segments)))[0, -len(answer) - 1 : -1]
        log_likelihoods.append(logits.log_softmax(-1)[range(len(answer)), answer].sum())
    expected = torch.stack(log_likelihoods).softmax(-1).tolist()
    [found] = asked(model, tokenizer, speech)
    assert list(found) == list(PAPER_LABELS)
    assert list(found.values()) == pytest.approx(expected, rel=1e-3)


@torch.inference_mode()
def test_several_utterances_at_once(model, tokenizer):
    lengths = (100, 40)
    mel, _ = utterances(*lengths)
    both = model.hear(mel, torch.tensor(lengths))
    for read in (lambda speech: asked(model, tokenizer, speech), lambda speech: pooled(model, speech)):
        alone = [read(model.hear(mel[n : n + 1], torch.tensor(lengths[n : n + 1])))[0] for n in (0, 1)]
        assert read(both) == [pytest.approx(one, rel=1e-3) for one in alone]
        assert all(sum(one.values()) == pytest.approx(1) for one in alone)


def test_five_labels_among_seven():
    five = dict(zip(PAPER_LABELS, (0.1, 0.2, 0.3, 0.15, 0.25), strict=True))
    seven = in_seven(five)
    assert tuple(seven) == EMOTIONS
    assert seven["surprised"] == 0.25
    assert seven["fearful"] == seven["disgust"] == 0
    assert sum(seven.values()) == pytest.approx(1)
