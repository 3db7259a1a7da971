"""Written text → the words a person would say: "Dr. Lee, 3:30 pm!!! 😊" → "Doctor Lee, three thirty P-M!".

Called for every phrase before any synthesizer, so that all of them say the same
and none has to guess at a symbol. What comes out holds letters, apostrophes,
hyphens inside words and single marks of , ; : . ! ? only.
"""

import re
import unicodedata

from engine.tts.abbreviations import BEFORE_A_NAME, EXPANSIONS, INSIDE_A_SENTENCE
from engine.tts.numerals import in_words

_PLAIN = str.maketrans(
    dict.fromkeys("‘’ʼ´", "'")
    | dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufe0f\ufeff", "")
    | {"²": " squared", "³": " cubed"}
    # Compatibility form alone would make "2½" twenty-one halves.
    | {c: " " + unicodedata.normalize("NFKC", c).replace("⁄", "/") for c in "¼½¾⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}
)
_BLANK_LINES = re.compile(r"\n\s*\n")
_SPACES = re.compile(r"[^\S\n]+")

_MARKDOWN = (
    (re.compile(r"```[\w+-]*|`"), " "),
    (re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)"), r"\1"),
    (re.compile(r"</?[a-zA-Z][^<>]{0,200}>"), " "),
    (re.compile(r"^[ \t]*[|:=_*~+-]{3,}[ \t]*$", re.MULTILINE), "\n"),
    (re.compile(r"^[ \t]*(?:#{1,6}|>+|[-*+•])[ \t]+", re.MULTILINE), "\n"),
    (re.compile(r"(?<!\d)(?<!\d )\*+|\*+(?! ?\d)|(?<!\w)_+|_+(?!\w)"), ""),
)

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}\w{2,24}")
_URL = re.compile(
    r"(?:https?://|www\.)\S+"
    r"|(?<![\w.-])(?:[\w-]{1,63}\.){1,8}(?:com|org|net|edu|gov|io|ai|app|dev|info|me|uk|eu|ca|au|us)\b(?:/[^\s,;!?)]*)?",
    re.IGNORECASE,
)
_EMOTICON = re.compile(r"(?<!\w)(?:[:;=]'?-?[()\[\]DPpOo/\\|*3]+|<3+|\^_?\^|[xX]D)(?!\w)")
_PAUSE = re.compile(r"\s*\.{2,}(?=\s*(\w?))")

_ABBREVIATION = re.compile(
    r"(?<![\w.])(" + "|".join(sorted(map(re.escape, EXPANSIONS), key=len, reverse=True)) + r")\.(?=\s*(\w?))",
    re.IGNORECASE,
)
_DOTTED_ACRONYM = re.compile(r"(?<![\w.])(?:[A-Za-z]\.)+[A-Za-z](?!\w)\.?")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_UNSAYABLE = re.compile(r"[^AEIOUY]+|[A-Z][^AEIOUY]{3}|[^AEIOUY]{3}[A-Z]")
_SHORT_WORD = re.compile(
    "AH|ALL|AM|AN|AND|ANY|ARE|AS|AT|BAD|BE|BIG|BUT|BY|CAN|DAY|DID|DO|END|FAR|FEW|FOR|GET|GO|GOD|GOT|HAD|HAS"
    "|HE|HER|HEY|HI|HIM|HIS|HOW|IF|IN|IS|IT|ITS|LET|LOT|MAD|MAN|MAY|ME|MY|NEW|NO|NOR|NOT|NOW|OF|OFF|OH|OLD"
    "|ON|ONE|OR|OUR|OUT|OWN|PUT|SAD|SAW|SAY|SEE|SHE|SO|TEN|THE|TO|TOO|TRY|TWO|UP|WAS|WAY|WE|WHO|WHY|WOW|YAY"
    "|YES|YET|YOU"
)

_BETWEEN_WORDS = (
    (re.compile(r"([&@+=%#$£€<>|/\\^~])\1+"), " "),
    (re.compile(r"\bw/o\b"), "without"),
    (re.compile(r"\bw/\s?(?=\w)"), "with "),
    (re.compile(r"\band/or\b"), "and or"),
    (re.compile(r"(?<=[^\W\d])/(?=[^\W\d])"), " or "),
    (re.compile(r"(?<!\w)#(?=\w)"), " hashtag "),
    (re.compile(r"(?<=[^\W_])\.(?=[^\W_])"), " dot "),
    (re.compile(r"\s+-+\s+|--+|[–—()\[\]|→]"), ", "),
)
_SYMBOLS = str.maketrans(
    {
        "&": " and ",
        "@": " at ",
        "+": " plus ",
        "=": " equals ",
        "×": " times ",
        "÷": " divided by ",
        "±": " plus or minus ",
        "%": " percent ",
        "°": " degrees ",
        "$": " dollars ",
        "£": " pounds ",
        "€": " euros ",
    }
)
_LINE_ENDS = re.compile(r"\s*\n\s*\n\s*|\s*\n\s*(?![a-z\s])")
_STRAY = re.compile(r"(?<!\w)['-]+|['-]+(?!\w)")
_MARKS = re.compile(r"\s*[,;:.!?][\s,;:.!?]*")


def spoken(text: str) -> str:
    """The words of `text`, ready for a synthesizer; empty when there is nothing to say.

    Never raises. The result is at most some twenty times as long as `text` ("%" → "percent").
    """
    text = unicodedata.normalize("NFKC", text.translate(_PLAIN))
    text = _SPACES.sub(" ", _BLANK_LINES.sub("\n\n", text))
    for pattern, replacement in _MARKDOWN:
        text = pattern.sub(replacement, text)
    text = _EMAIL.sub(lambda match: _say_address(match[0]), text)
    text = _URL.sub(_say_url, text)
    text = _EMOTICON.sub(" ", text)
    text = _PAUSE.sub(lambda match: ", " if match[1].islower() else ". ", text)
    text = in_words(text)
    text = _ABBREVIATION.sub(_say_abbreviation, text)
    text = _DOTTED_ACRONYM.sub(_say_dotted_acronym, text)
    text = _say_capitals(text)
    for pattern, replacement in _BETWEEN_WORDS:
        text = pattern.sub(replacement, text)
    return _tidy(text.translate(_SYMBOLS))


def _say_address(address: str) -> str:
    for symbol, word in ((".", "dot"), ("@", "at"), ("_", "underscore"), ("-", "dash"), ("/", "slash")):
        address = address.replace(symbol, f" {word} ")
    return address


def _say_url(match: re.Match) -> str:
    """The host, and the path only where it is short enough to be remembered."""
    url = match[0].rstrip(".,;:!?)'\"")
    closing = match[0][len(url) :]
    host, _, path = re.sub(r"^(?:https?://)?(?:www\.)?", "", url, flags=re.IGNORECASE).partition("/")
    is_short = re.fullmatch(r"[\w-]{1,20}", path)
    return _say_address(f"{host}/{path}" if is_short else host) + closing


def _say_abbreviation(match: re.Match) -> str:
    short, following = match[1], match[2]
    key = short.lower()
    if key in BEFORE_A_NAME:
        is_title = short[0].isupper() and following.isupper()
        return EXPANSIONS[key] if is_title else "Street" if short == "St" else match[0]
    is_last = not following or (following.isupper() and key not in INSIDE_A_SENTENCE)
    return EXPANSIONS[key] + ("." if is_last else "")


def _say_dotted_acronym(match: re.Match) -> str:
    letters = match[0].replace(".", "").upper()
    is_last = not match.string[match.end() :].strip()
    return "-".join(letters) + ("." if is_last else "")


def _say_capitals(text: str) -> str:
    """Acronyms letter by letter ("F-B-I"), emphasis and shouting as ordinary words."""
    words = _WORD.findall(text)
    is_shouting = len(words) > 3 and text.isupper()

    def say(match: re.Match) -> str:
        word = match[0]
        stem = re.sub(r"'?s$", "", word)
        if len(stem) < 2 or not stem.isupper():
            return word
        lower = stem.lower()
        if lower == "ok":
            return "okay"
        is_word = "'" in stem or _SHORT_WORD.fullmatch(stem) or is_shouting or len(stem) > 3
        if is_word and not _UNSAYABLE.fullmatch(stem):
            return re.sub(r"^i\b", "I", lower) + word[len(stem) :]
        return "-".join(stem) + word[len(stem) :]

    return _WORD.sub(say, text)


def _tidy(text: str) -> str:
    """Only letters and single marks are left, a line's end has become a sentence's."""
    text = _LINE_ENDS.sub(". ", text)
    text = "".join(c if c.isalpha() or c in "',;:.!?-" else " " for c in text)
    text = _STRAY.sub(" ", text)
    text = _MARKS.sub(lambda match: next(mark for mark in "?!.;:," if mark in match[0]) + " ", text)
    return " ".join(text.split()).lstrip(",;:.!? ")
