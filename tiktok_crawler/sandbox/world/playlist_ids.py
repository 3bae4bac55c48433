"""Assigns videos to playlists: in some periods, an account puts all of its videos into one.

A playlist's id tells its account and its period, so that nothing has to be remembered.
"""

from __future__ import annotations

from typing import NamedTuple

from tiktok_crawler.sandbox.world.accounts import ACCOUNTS
from tiktok_crawler.sandbox.world.chance import lot

PERIOD_DAYS = 28
_PERIOD_SECONDS = PERIOD_DAYS * 86_400
_SHARE = 0.04
_ACCOUNT_BITS = 12
_NOISE_BITS = 32 - _ACCOUNT_BITS


class SandboxPlaylist(NamedTuple):
    """The videos of an account, by its number, of a period, counted from 1970."""

    account: int
    period: int

    @property
    def starts_at(self) -> int:
        """Unix seconds."""
        return self.period * _PERIOD_SECONDS


def playlist_of(seed: int, account: int, create_time: int) -> int | None:
    """The id of the playlist that a video is in, if it is in one."""
    playlist = SandboxPlaylist(account, create_time // _PERIOD_SECONDS)
    chance = lot(seed, "playlist", *playlist)
    return _id_of(playlist, chance / _SHARE) if chance < _SHARE else None


def find_playlist(seed: int, playlist_id: int) -> SandboxPlaylist | None:
    """The playlist with this id, if there is one."""
    account = playlist_id & ((1 << _ACCOUNT_BITS) - 1)
    made_at = playlist_id >> 32
    if account >= ACCOUNTS or playlist_of(seed, account, made_at) != playlist_id:
        return None
    return SandboxPlaylist(account, made_at // _PERIOD_SECONDS)


def _id_of(playlist: SandboxPlaylist, noise: float) -> int:
    """19 digits, made in the first minutes of the period."""
    low = int(noise * (1 << _NOISE_BITS))
    made_at = playlist.starts_at + low % 600
    return made_at << 32 | low << _ACCOUNT_BITS | playlist.account
