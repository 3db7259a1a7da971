"""Abbreviations written with a full stop: what they say, and whether they can end a sentence.

Read by `spoken`, which says them in full, and by `phrases`, which must not take
their full stop for the end of a sentence. Keys are lower case without the last stop.
"""

BEFORE_A_NAME = {
    "capt": "Captain",
    "col": "Colonel",
    "dr": "Doctor",
    "gen": "General",
    "gov": "Governor",
    "lt": "Lieutenant",
    "mr": "Mister",
    "mrs": "Missus",
    "ms": "Miz",
    "mt": "Mount",
    "prof": "Professor",
    "rep": "Representative",
    "rev": "Reverend",
    "sen": "Senator",
    "sgt": "Sergeant",
    "st": "Saint",
}
"""Something always follows in the same sentence, and it begins with a capital letter."""

INSIDE_A_SENTENCE = {
    "approx": "approximately",
    "cf": "compare",
    "e.g": "for example",
    "i.e": "that is",
    "viz": "namely",
    "vs": "versus",
}
"""Something always follows in the same sentence, capital letter or not."""

ANYWHERE = {
    "a.m": "A-M",
    "ave": "Avenue",
    "b.c": "B-C",
    "blvd": "Boulevard",
    "co": "Company",
    "corp": "Corporation",
    "dept": "Department",
    "etc": "et cetera",
    "inc": "Incorporated",
    "jr": "Junior",
    "ltd": "Limited",
    "p.m": "P-M",
    "ph.d": "P-H-D",
    "rd": "Road",
    "sr": "Senior",
}
"""May also be the last word of a sentence: only a capital letter after it tells."""

EXPANSIONS = BEFORE_A_NAME | INSIDE_A_SENTENCE | ANYWHERE
