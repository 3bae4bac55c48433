"""Names in texts and in JSON are found as whole words, and pseudonyms are put in their place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marathon import times
from odd_names import names_and_texts, with_names
from persons_database import strings_in

from tiktok_crawler.dataset import known_names
from tiktok_crawler.dataset.known_names import SHOWN_NAME, USERNAME, KnownNames
from tiktok_crawler.dataset.pseudonyms import Pseudonyms
from tiktok_crawler.dataset.rewriting import Rewriter, Rules
from tiktok_crawler.exceptions import ConfigurationError

PSEUDONYMS = Pseudonyms(bytes(range(32)))
TEXT, HIDDEN = (Rules.of_text(hide_ids=hidden) for hidden in (False, True))
LABEL = Rules.of_label(hide_ids=True)
ID = 7_319_000_000_000_000_001


OPENED = []


@pytest.fixture(autouse=True)
def closed():
    """All names that a test has made known are removed."""
    yield
    while OPENED:
        OPENED.pop().close()


def rewriter(*usernames, shown=()):
    names = [(name, USERNAME) for name in usernames] + [(name, SHOWN_NAME) for name in shown]
    OPENED.append(KnownNames(names))
    return Rewriter(OPENED[-1], PSEUDONYMS)


def filled(template):
    """A text in which names are written in brackets, with their pseudonyms."""
    for name in ("maria.lopez", "maria", "lopez.x", "bob", "nobody", "m\xfcller"):
        template = template.replace(f"{{{name}}}", PSEUDONYMS.name(name))
    shown = PSEUDONYMS.shown_name("Maria Lopez")
    return template.replace("{Maria Lopez}", shown)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("maria", "{maria}"),
        ("MARIA, #Maria and (maria).", "{maria}, #{maria} and ({maria})."),
        ("mariam xmaria maria_ _maria", None),
        ("maria.lopez", "{maria.lopez}"),
        ("maria.lopez.x", "{maria.lopez}.x"),
        ("x.maria.y lopez.x", "x.{maria}.y {lopez.x}"),
        ("maria. Lopez", "{maria}. Lopez"),
        ("@bob and bob", "@{bob} and bob"),
        ("@nobody. @.nobody \uff20nobody", "@{nobody}. @.{nobody} \uff20{nobody}"),
        ("@Maria Lopez yes, maria lopez!", "@{Maria Lopez} yes, {Maria Lopez}!"),
        ("\u0130 M\xdcLLER", "\u0130 {m\xfcller}"),
        ("a @ b 5 @", None),
        ("write to some.one+x@mail.example now", "write to [mail] now"),
        ("see https://x.example/@maria?a=b now", "see [link] now"),
        ("WWW.x.example or vm.tiktok.com/ZM1/", "[link] or [link]"),
        ("and/or 1/2 e.g. this", None),
        (f"{ID} is kept", None),
    ],
)
def test_a_text_is_rewritten(text, expected):
    names = rewriter("maria", "maria.lopez", "lopez.x", "m\xfcller", shown=["Maria Lopez"])

    assert names.text(text, TEXT) == (text if expected is None else filled(expected))


def test_a_mention_of_a_writing_with_marks_is_replaced_as_a_whole():
    name = "\u092e\u0915\u094d\u0916\u0928"

    assert rewriter().text(f"@{name} ok", TEXT) == f"@{PSEUDONYMS.name(name)} ok"


def test_numbers_that_can_be_ids_are_hidden():
    hidden, other = PSEUDONYMS.record_id(ID), "9" * 20

    assert rewriter().text(f"{ID} x{ID}. {other} 12345678901234", HIDDEN) == (
        f"{hidden} x{hidden}. [id] 12345678901234"
    )
    assert rewriter().text(str(ID), LABEL) == str(ID)
    assert rewriter().text(f"to {ID}", LABEL) == f"to {hidden}"
    document = f'{{"a":{ID},"b":["{ID}",-{ID},{ID}.5,1e3]}}'
    assert rewriter().document(document, HIDDEN) == (
        f'{{"a":{hidden},"b":["{hidden}",-{ID},{ID}.5,1e3]}}'
    )
    assert rewriter().document(document, LABEL) == document


def test_json_stays_as_it_is_written_but_for_names():
    document = '{"a\\nmaria": [1.50, "x\\"Maria\\u0020", {"username" : "maria"}], "maria":1e400}'
    maria = PSEUDONYMS.name("maria")

    assert rewriter("maria").document(document, TEXT) == (
        f'{{"a\\n{maria}": [1.50, "x\\"{maria} ", {{"username" : "{maria}"}}], "{maria}":1e400}}'
    )


def test_somebody_can_be_called_as_a_key_of_the_api():
    username = PSEUDONYMS.name("username")

    assert rewriter("username").document('{"username":"username","b":"username"}', TEXT) == (
        f'{{"username":"{username}","b":"{username}"}}'
    )


def test_what_is_missing_or_empty_stays_so():
    assert rewriter("maria").texts(["maria", None, ""], TEXT) == [filled("{maria}"), None, ""]
    assert rewriter("maria").documents(['["maria"]', None], TEXT) == [filled('["{maria}"]'), None]


@pytest.mark.slow
@settings(max_examples=times(5))
@given(names_and_texts())
def test_no_name_is_left_in_any_text(drawn):
    names, texts = drawn
    writing = rewriter(*(name for name in names if len(name) >= 5))

    assert with_names(writing.texts(texts, HIDDEN), names) == []
    assert with_names(writing.texts(texts, LABEL), names) == []


@pytest.mark.slow
@settings(max_examples=times(5))
@given(names_and_texts(), st.sampled_from([True, False]))
def test_no_name_is_left_in_any_json_and_all_else_is_there(drawn, is_ascii):
    names, texts = drawn
    writing = rewriter(*(name for name in names if len(name) >= 5))
    value = {texts[0]: [1, 2.5, None, *texts], "zz": {texts[-1]: {"content": texts[0]}}}

    document = writing.document(json.dumps(value, ensure_ascii=is_ascii), TEXT)

    assert with_names(strings_in(document), names) == []
    written = writing.texts(texts, TEXT)
    assert json.loads(document) == {
        written[0]: [1, 2.5, None, *written],
        "zz": {written[-1]: {"content": written[0]}},
    }


def test_many_names_and_words_are_found_whatever_is_remembered(monkeypatch):
    monkeypatch.setattr(known_names, "PARTS_KEPT", 5)
    monkeypatch.setattr(known_names, "NAMES_AT_ONCE", 7)
    names = [f"maria{number}" for number in range(100)]
    known = rewriter(*names)._known
    texts = [f"word{number} by maria{number}" for number in range(120)]

    for _ in range(2):
        found = known.find(texts)
        assert set(found) == set(texts[:100])
        assert len(known._without_names) <= 5


def test_a_full_disk_is_told(monkeypatch):
    names = ((f"maria{number:060}", USERNAME) for number in range(40_000))
    monkeypatch.setattr(known_names, "MOST_PAGES", 100)

    with pytest.raises(ConfigurationError, match=r"temporary file .*: set TMPDIR to a folder"):
        KnownNames(names)
