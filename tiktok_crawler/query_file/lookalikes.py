"""Letters that look like others: of another script, or of the same one in another dress. Pure."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
_PLAIN_FORMS = ("<font>", "<wide>", "<compat>")
"""How Unicode calls letters such as those of mathematics, of full width, and ligatures."""

_SIMILAR = {
    "CYRILLIC": (
        "АВЕКМНОРСТУХІЈЅԚԜѴԌӀЁЇаеокрстухіјѕԁһԛԝѵӏёї",
        "ABEKMHOPCTYXIJSQWVGIËÏaeokpctyxijsdhqwvlëï",
    ),
    "GREEK": ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹαινκορυχγωηϲϳ", "ABEZHIKMNOPTYXCaivkopuxywncj"),
    "ARMENIAN": ("ՕՍօսհոցյ", "OUouhngj"),
    "CHEROKEE": ("ᎪᏴᏟᎠᎬᏀᎻᎫᏦᏞᎷᏢᏚᎢᏙᎳᏃ", "ABCDEGHJKLMPSTVWZ"),
}
_TO_LATIN = {
    ord(one): latin for others in _SIMILAR.values() for one, latin in zip(*others, strict=True)
}
_FROM_LATIN = {
    script: {ord(latin): one for one, latin in reversed([*zip(*pairs, strict=True)])}
    for script, pairs in _SIMILAR.items()
}
_LONGEST_SLIP = 2
"""So many Latin letters in a row slip into a word of another script; more are a name of their own,
as that of TikTok in a Russian hashtag."""


def in_plain_letters(text: str) -> str:
    """Replace letters and digits in another dress by those of ASCII."""
    return text if text.isascii() else "".join(map(_plain, text))


def in_one_script(text: str) -> str:
    """Replace letters that look like one of the script that the rest of their word is in."""
    return text if text.isascii() else _WORD.sub(lambda word: _one_script(word[0]), text)


def _plain(character: str) -> str:
    if unicodedata.decomposition(character).split(" ")[0] not in _PLAIN_FORMS:
        return character
    plain = unicodedata.normalize("NFKC", character)
    return plain if plain.isascii() and plain.isalnum() and character.isalnum() else character


def _one_script(word: str) -> str:
    scripts = {letter: _script(letter) for letter in word if letter.isalpha()}
    latin = {letter for letter, script in scripts.items() if script == "LATIN"}
    others = {letter: script for letter, script in scripts.items() if script in _SIMILAR}
    if not latin or not others:
        return word
    if all(ord(letter) in _TO_LATIN for letter in others):
        return word.translate(_TO_LATIN)
    script, *more = set(others.values())
    similar = _FROM_LATIN[script]
    is_slip = all(ord(letter) in similar for letter in latin) and not more
    return word.translate(similar) if is_slip and _longest_run(word, latin) else word


def _longest_run(word: str, letters: set[str]) -> bool:
    """Tell whether the letters stand in the word in runs as short as a slip."""
    marks = "".join("x" if letter in letters else " " for letter in word)
    return max(map(len, marks.split())) <= _LONGEST_SLIP


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").split(" ")[0]
