"""Hands-free talk: sound in, sound out, and who has the word.

`machine` decides, `talk` does the work, `socket` brings it to the page in the frames of `wire`, and `desktop`
to a terminal.
"""
