"""BLSP-Emo (arXiv 2406.03872): Whisper encoder → adapter → language model, as published and as ours.

`config` and `checkpoint` read it, `model` is it, `prompts` and `history` frame what it is told,
`generate` lets it answer, `mind` puts it behind the engine's seam.
"""
