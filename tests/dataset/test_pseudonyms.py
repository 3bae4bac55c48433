"""Pseudonyms are the same as long as the key is, which is made once and is nobody else's."""

from __future__ import annotations

import re
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.dataset.pseudonyms import Pseudonyms, key_file
from tiktok_crawler.exceptions import ConfigurationError

KEY = bytes(range(32))
INT64 = st.integers(-(2**63), 2**63 - 1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "pseudonyms.key"


def test_a_name_has_one_pseudonym_whatever_its_capitals():
    pseudonyms = Pseudonyms(KEY)

    assert re.fullmatch("user_[a-z2-7]{13}", pseudonyms.name("maria.lopez"))
    assert pseudonyms.name("maria.lopez") == pseudonyms.name("@Maria.LOPEZ")
    assert (
        pseudonyms.name("ilker") == pseudonyms.name("\u0130LKER") == pseudonyms.name("\u0131lker")
    )
    assert pseudonyms.name("maria.lopez") != pseudonyms.name("maria_lopez")
    assert pseudonyms.name("") == ""


def test_names_that_are_shown_have_pseudonyms_of_their_own():
    pseudonyms = Pseudonyms(KEY)

    assert re.fullmatch("name_[a-z2-7]{13}", pseudonyms.shown_name("maria"))
    assert pseudonyms.shown_name("Maria ") == pseudonyms.shown_name("maria")


def test_pseudonyms_stay_the_same_in_the_next_version():
    assert Pseudonyms(KEY).name("maria") == "user_lfgbf5aw6pqvo"
    assert Pseudonyms(KEY).record_id(7319000000000000001) == 6654314943776931235


def test_another_key_gives_other_names_and_ids():
    one, other = Pseudonyms(KEY), Pseudonyms(bytes(32))

    assert one.name("maria") != other.name("maria")
    assert one.shown_name("maria") != other.shown_name("maria")
    assert one.record_id(7319000000000000001) != other.record_id(7319000000000000001)


def test_many_names_are_forgotten_and_made_again(monkeypatch):
    monkeypatch.setattr("tiktok_crawler.dataset.pseudonyms.KEPT", 3)
    pseudonyms = Pseudonyms(KEY)
    names = [f"maria{number}" for number in range(10)]

    made = list(map(pseudonyms.name, names))

    assert made == list(map(pseudonyms.name, names))
    assert len(set(made)) == 10
    assert len(pseudonyms._names) <= 3


@given(st.lists(INT64, unique=True))
def test_no_two_ids_become_the_same_and_all_fit_in_64_bits(ids):
    hidden = [Pseudonyms(KEY).record_id(id_) for id_ in ids]

    assert len(set(hidden)) == len(ids)
    assert all((id_ < 0) == (new < 0) for id_, new in zip(ids, hidden, strict=True))
    assert all(-(2**63) <= new < 2**63 for new in hidden)


def test_ids_next_to_each_other_do_not_stay_so():
    hidden = [Pseudonyms(KEY).record_id(7319000000000000000 + number) for number in range(1000)]

    assert hidden != sorted(hidden)
    assert len({new >> 40 for new in hidden}) > 900
    assert len({new & 2**20 - 1 for new in hidden}) > 900


def test_a_key_is_made_once_for_its_owner_alone(path):
    key = key_file(path)

    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == f"{key.hex()}\n"
    assert key_file(path) == key


def test_two_files_have_two_keys(path, tmp_path):
    assert key_file(path) != key_file(tmp_path / "other.key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_key_that_is_open_to_others_is_refused(path, mode):
    key_file(path)
    path.chmod(mode)

    with pytest.raises(ConfigurationError, match=f"is open to others .* type chmod 600 {path}"):
        key_file(path)


@pytest.mark.parametrize("content", ["", "maria", "0" * 63, "0" * 65, "G" * 64, "0" * 5000])
def test_a_file_without_a_key_is_refused_and_kept(path, content):
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(ConfigurationError, match="has no key of pseudonyms, which is 64 charac"):
        key_file(path)
    assert path.read_text() == content


def test_no_key_is_made_or_read_through_a_link(path, tmp_path):
    path.symlink_to(tmp_path / "there.key")

    with pytest.raises(ConfigurationError, match="cannot be used: somebody made it a link"):
        key_file(path)
    assert not (tmp_path / "there.key").exists()

    key_file(tmp_path / "there.key")
    with pytest.raises(ConfigurationError, match="cannot be used: somebody made it a link"):
        key_file(path)


def test_a_key_with_a_second_name_is_refused(path, tmp_path):
    key_file(path)
    (tmp_path / "second").hardlink_to(path)

    with pytest.raises(ConfigurationError, match="a file that has another name, too"):
        key_file(path)


def test_a_folder_that_there_is_not_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be used: No such file or directory"):
        key_file(tmp_path / "nowhere" / "pseudonyms.key")


def test_a_key_that_cannot_be_written_leaves_no_file(path, monkeypatch):
    def full(_file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(ConfigurationError, match="cannot be used: No space left on device"):
        key_file(path)
    assert not path.exists()
