"""What BLSP-Emo learns from: examples, the losses of its two stages, and which weights they move."""
