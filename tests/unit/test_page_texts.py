"""The page's fixed texts: every key that the page asks for exists, and none is left over."""

import re

import pytest

from app.page.blocks import PAGE
from app.page.routes import STATIC

ENGLISH = STATIC / "texts" / "en.js"
GROUPS = (
    "strengths",
    "feelings",
    "tones",
    "fields",
    "modes",
    "ends",
    "endHints",
    "patiences",
    "checks",
    "found",
)
BLOCKS = ("look", "lookBack")
"""The texts of one part of the page each."""

BUILT = re.compile(r"^state[A-Z]|^language$")
"""Keys that the scripts put together, or read as properties."""


def keys() -> set[str]:
    return set(re.findall(r"^  (\w+):", ENGLISH.read_text(encoding="utf-8"), re.MULTILINE))


def marked() -> set[str]:
    markup = PAGE.read_text(encoding="utf-8")
    return set(re.findall(r'data-(?:text|label|title|placeholder)="(\w+)"', markup))


def quoted() -> set[str]:
    return set(re.findall(r'"(\w+)"', scripts()))


def scripts() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in STATIC.rglob("*.js"))


def test_what_the_markup_asks_for_exists():
    assert marked() <= keys()


def test_what_the_scripts_ask_for_exists():
    for path in STATIC.rglob("*.js"):
        found = re.findall(r'\btext\("(\w+)"', path.read_text(encoding="utf-8"))
        assert set(found) <= keys(), path.name


def test_no_text_is_left_over():
    assert {key for key in keys() - quoted() - marked() if not BUILT.search(key)} <= {*GROUPS, *BLOCKS}


@pytest.mark.parametrize("block", BLOCKS)
def test_a_part_of_the_page_has_the_texts_that_it_asks_for(block):
    english = ENGLISH.read_text(encoding="utf-8")
    texts = re.search(rf"^  {block}: {{\n(.*?)^  }},", english, re.MULTILINE | re.DOTALL)[1]
    sources = scripts() + PAGE.read_text(encoding="utf-8")
    alone, grouped = rf'"{block}\.(\w+)"', rf"`{block}\.(\w+)\."
    asked = {*re.findall(alone, sources), *re.findall(grouped, sources)}
    assert asked == set(re.findall(r"^    (\w+):", texts, re.MULTILINE))


def test_what_is_kept_is_told_in_texts_that_exist_and_are_used():
    texts = (STATIC / "texts" / "en" / "kept.js").read_text(encoding="utf-8")
    known = set(re.findall(r"^  (\w+):", texts, re.MULTILINE))
    asked = "\n".join(path.read_text(encoding="utf-8") for path in (STATIC / "kept").glob("*.js"))
    assert set(re.findall(r"kept\.(\w+)[\"`.]", asked)) <= known
    assert {key for key in known if not re.search(rf"\b{key}\b", asked)} == set()


def test_nothing_of_ours_is_inline_or_from_elsewhere():
    for path in [PAGE, *STATIC.rglob("*.*")]:
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"\son\w+=\"", source), path
        assert not re.search(r"(src|href|url|import)[=(\s]*[\"']https?://", source), path


def test_every_module_is_small_enough_to_read():
    for path in STATIC.rglob("*.*"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path.name
