"""Names as nobody is called, and texts in which they stand next to and within each other."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from tiktok_crawler.dataset.known_names import SHORTEST_USERNAME
from tiktok_crawler.dataset.rewriting import KEYS

CHARACTERS = 'aAb1_.-\xe9\u0130\u0131\xdf\u0915\u094d\U0001f9c0 \u017f\u212a"'
OF_OURS = {*KEYS, "odd", "deep", "nick", "finished", "videos"}

_PARTS = st.text(CHARACTERS, min_size=1, max_size=8)
NAMES = st.one_of(
    _PARTS,
    st.text("01", min_size=5, max_size=9),
    st.tuples(_PARTS, _PARTS).map(".".join),
    st.tuples(_PARTS, _PARTS, _PARTS).map("_".join),
    st.sampled_from(["tea.and.butter", "and.butter", "butter", "tea_x", "user_name"]),
).filter(lambda name: re.search(r"\w", name) and name.strip() and name not in OF_OURS)
BETWEEN = st.sampled_from([" ", ".", "@", "#", ",", "\n", '"', "\\", "/", "-", "\xe9", "", ": "])


@st.composite
def names_and_texts(draw):
    names = draw(st.lists(NAMES, min_size=4, max_size=6, unique=True))
    changed = st.sampled_from(names).flatmap(
        lambda name: st.sampled_from([name, name.upper(), name.swapcase(), name[1:], f"@{name}"])
    )
    pieces = st.lists(st.tuples(changed, BETWEEN), min_size=1, max_size=6)
    texts = draw(st.lists(pieces, min_size=2, max_size=5))
    return names, ["".join(map("".join, text)) or "x" for text in texts]


def with_names(texts, names):
    """Those of some texts in which a username stands as a whole word."""
    words = [
        re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
        for name in names
        if len(name) >= SHORTEST_USERNAME
    ]
    return [text for text in texts if any(word.search(text) for word in words)]
