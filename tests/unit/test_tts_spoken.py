"""What is written → what is said."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.tts.spoken import spoken

EXAMPLES = [
    ("I have 3 cats and 21 dogs.", "I have three cats and twenty-one dogs."),
    (
        "It was 1,234,567 or 1000000",
        "It was one million two hundred and thirty-four thousand five hundred and sixty-seven or one million",
    ),
    ("3.14 and .5 and -5", "three point one four and zero point five and minus five"),
    ("the 1st, 22nd and 103rd", "the first, twenty-second and one hundred and third"),
    (
        "1999, the 1990s, the '90s, 1905 and 2024",
        "nineteen ninety-nine, the nineteen nineties, the nineties, nineteen oh five and twenty twenty-four",
    ),
    (
        "$3.50, $1, $0.99, $5M",
        "three dollars and fifty cents, one dollar, ninety-nine cents, five million dollars",
    ),
    (
        "-$5, £1,200 and 20€",
        "minus five dollars, one thousand two hundred pounds and twenty euros",
    ),
    ("50% of 3.5 %", "fifty percent of three point five percent"),
    (
        "5 km in 25 min at 20°C, 1 kg",
        "five kilometers in twenty-five minutes at twenty degrees Celsius, one kilogram",
    ),
    ("He is 5'11\".", "He is five feet eleven."),
    (
        "3:30 pm, 9:05 am, 10:00, 15:45, 3pm",
        "three thirty P-M, nine oh five A-M, ten o'clock, fifteen forty-five, three P-M",
    ),
    ("See you at 3:30-5:30 p.m.", "See you at three thirty to five thirty P-M."),
    ("March 5, 2024 and Jan. 3", "March fifth, twenty twenty-four and January third"),
    ("5 March and the 4th of July", "the fifth of March and the fourth of July"),
    ("2024-03-05, 12/25/2023", "March fifth, twenty twenty-four, December twenty-fifth, twenty twenty-three"),
    (
        "1/2, 3/4, 2½, 8/10, 24/7",
        "one half, three quarters, two and a half, eight out of ten, twenty-four seven",
    ),
    ("5-10 people, 2019–2021", "five to ten people, twenty nineteen to twenty twenty-one"),
    ("4x4, 2 * 3, 5+5=10", "four by four, two times three, five plus five equals ten"),
    ("version 3.11.2, B12, COVID-19", "version three point eleven point two, B twelve, covid nineteen"),
    ("112 in the EU, 911 or 988", "one one two in the E-U, nine one one or nine eight eight"),
    ("Dial 100 or 0800 1111.", "Dial one zero zero or zero eight zero zero, one one one one."),
    ("Text HOME to 741741", "Text home to seven four one seven four one"),
    ("Call 116 123", "Call one one six, one two three"),
    ("(555) 123-4567", "five five five, one two three, four five six seven"),
    (
        "Dr. Lee, Mr. Jones and Mrs. Ray vs. St. Mary, etc.",
        "Doctor Lee, Mister Jones and Missus Ray versus Saint Mary, et cetera.",
    ),
    ("Main St. is long, e.g. at 5 p.m. on foot", "Main Street is long, for example at five P-M on foot"),
    ("No. 5? No. Never.", "number five? No. Never."),
    ("R&B @ home + you", "R and B at home plus you"),
    (
        "https://www.example.com/a?b=1 or findahelpline.com/us.",
        "example dot com or findahelpline dot com slash us.",
    ),
    ("john.doe@example.org", "john dot doe at example dot org"),
    ("**Bold** _it_ `code` [link](http://x.y) # no", "Bold it code link no"),
    ("# Title\n- one\n- two\n\nEnd", "Title. one. two. End"),
    ("Well... I don’t know… maybe", "Well. I don't know, maybe"),
    ("“Hello” — she said -- 'bye'", "Hello, she said, bye"),
    ("Wow!!! Really?!?! Yes,, ok", "Wow! Really? Yes, ok"),
    ("I am SO happy, NOT sad", "I am so happy, not sad"),
    (
        "the FBI, NASA, ADHD and PTSD in the U.S. today",
        "the F-B-I, nasa, A-D-H-D and P-T-S-D in the U-S today",
    ),
    ("I AM SO ANGRY ABOUT THE WAR", "I am so angry about the war"),
    ("DON'T, I'M fine, OK?", "don't, I'm fine, okay?"),
    ("Great 😊👍🏽 <3 :) done ❤️", "Great done"),
    ("a\x00b\x07 co\u00adoperate zero\u200bwidth", "a b cooperate zerowidth"),
    ("ｆｕｌｌ ﬁne ٣", "full fine three"),
    ("...", ""),
    ("😊 *** --- $$$", ""),
    ("", ""),
]

TRICKY = (
    "Dr. St. Mary 3:30 pm $3.50 -5 £ 1,234 12/25/2024 2024-01-02 50% 3.14 1/2 … ... ! !!! ?! — - ( ) * **"
    " _ ` # & @ + = 988 call FBI SO I'M e.g. U.S. http://a.b/c a@b.com 😊 :) '90s 5'11\" 10km 24/7 “ ‘ Jan."
)
PARTS = st.sampled_from([*TRICKY.split(), "\n", " "])
TEXTS = (
    st.text(max_size=80)
    | st.lists(PARTS, max_size=12).map(" ".join)
    | st.lists(PARTS, max_size=8).map("".join)
)


@pytest.mark.parametrize(("written", "said"), EXAMPLES)
def test_says(written, said):
    assert spoken(written) == said


@pytest.mark.parametrize("said", [said for _, said in EXAMPLES])
def test_what_is_spoken_is_spoken_the_same_again(said):
    assert spoken(said) == said


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_anything_becomes_words_and_single_marks(text):
    said = spoken(text)
    # Letters (a letter is a \w that is no digit), apostrophes, hyphens, one mark or one space at a time.
    assert re.fullmatch(r"(?:[^\W\d_]|['-]|[,;:.!?](?= |$)| (?=\S))*", said)
    assert not any(character.isnumeric() and not character.isalpha() for character in said)
    assert len(said) <= 20 * len(text) + 20


@pytest.mark.parametrize(
    "unit", ["a", "a-", "1", "1,", "1 ", "(", "**", "[a](", "<a", "'", " ", "\n", " \n", "call "]
)
def test_long_nonsense_takes_no_time_to_speak_of(unit):
    spoken(unit * 2000)
