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
    "sen": "Senator",
    "sgt": "Sergeant",
    "st": "Saint",
}
"""Written with a capital, and a name follows in the same sentence."""

INSIDE_A_SENTENCE = {
    "approx": "approximately",
    "e.g": "for example",
    "i.e": "that is",
    "jr": "Junior",
    "ph.d": "P-H-D",
    "sr": "Senior",
    "u.k": "U-K",
    "u.s": "U-S",
    "vs": "versus",
}
"""The sentence goes on, or goes on often enough that a stop would be worse than none."""

LAST_OR_NOT = {
    "a.m": "A-M",
    "ave": "Avenue",
    "blvd": "Boulevard",
    "co": "Company",
    "corp": "Corporation",
    "dept": "Department",
    "etc": "et cetera",
    "inc": "Incorporated",
    "ltd": "Limited",
    "p.m": "P-M",
    "rd": "Road",
}
"""May be the last word of a sentence: a capital letter after it tells."""

EXPANSIONS = BEFORE_A_NAME | INSIDE_A_SENTENCE | LAST_OR_NOT
