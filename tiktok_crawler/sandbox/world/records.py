"""A video as the API's JSON object: fields, and keys that go missing (api_facts.md 3.7, 3.8)."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any
from zlib import crc32

from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.sandbox.world.blemishes import blemish
from tiktok_crawler.sandbox.world.chance import happens
from tiktok_crawler.sandbox.world.playlist_ids import playlist_of
from tiktok_crawler.sandbox.world.vocabulary import EFFECTS, STICKERS

if TYPE_CHECKING:
    from tiktok_crawler.sandbox.faults.profile import DataBehaviour
    from tiktok_crawler.sandbox.world.blemishes import Record
    from tiktok_crawler.sandbox.world.corpus import SandboxVideo

_KNOWN = frozenset(VIDEO_QUERY.fields)
_VIDEO_TAGS = (("AIGC", 1), ("AIGC", 2), ("Branded", 1), ("Branded", 7))
_ORDERS = tuple(
    tuple(Random(f"order {n}").sample(VIDEO_QUERY.fields, len(VIDEO_QUERY.fields)))
    for n in range(64)
)


class SandboxRecords:
    """Makes records: what a video's seed decides once, each answer repeats."""

    def __init__(self, *, seed: int, behaviour: DataBehaviour) -> None:
        self._seed = seed
        self._behaviour = behaviour

    def record(self, video: SandboxVideo, fields: frozenset[str] | None = None) -> Record:
        """The object: wanted fields that exist, in random order (api_facts.md 1.12).

        Fields that no request knows how to ask for, if the video has any, come in any case.
        """
        rng = Random(self._seed ^ video.id)
        everything = _describe(video, rng, self._seed)
        blemish(everything, rng, self._behaviour, VIDEO_QUERY.fields)
        names = (*_ORDERS[rng.getrandbits(6)], *(n for n in everything if n not in _KNOWN))
        unwanted = frozenset() if fields is None else _KNOWN - fields
        return {n: everything[n] for n in names if n in everything and n not in unwanted}


def _describe(video: SandboxVideo, rng: Random, seed: int) -> Record:
    return {
        "id": video.id,
        "create_time": video.create_time,
        "username": video.account.username,
        "region_code": video.account.region_code,
        "video_description": video.video_description,
        "video_duration": video.video_duration,
        "is_stem_verified": happens(rng, 0.01),
        **_counters(video, rng),
        **_sound(video, rng),
        **_hashtags(video, rng),
        **_effects(video, rng),
        **_playlist(video, rng, seed),
        **_rarities(rng),
    }


def _counters(video: SandboxVideo, rng: Random) -> Record:
    """Counters do not fit together, and likes are missing now and then (api_facts.md 3.7, 3.8)."""
    views = video.view_count
    counters: Record = {
        "view_count": views,
        "comment_count": video.comment_count,
        "share_count": int(views * rng.random() ** 4 / 20),
        "favorites_count": int(views * rng.random() ** 3 / 10),
    }
    if happens(rng, 0.96):
        counters["like_count"] = int(views * rng.random() ** 3 * 1.3)
    return counters


def _sound(video: SandboxVideo, rng: Random) -> Record:
    sound: Record = {}
    if video.music_id is not None:
        sound["music_id"] = video.music_id
    if happens(rng, 0.15):
        words = rng.choices(video.account.language.words, k=8 + int(rng.random() * 50))
        sound["voice_to_text"] = " ".join(words)
    return sound


def _hashtags(video: SandboxVideo, rng: Random) -> Record:
    """Both lists, in another order than the caption's; without hashtags empty or missing."""
    if not video.hashtag_names:
        return {"hashtag_names": [], "hashtag_info_list": []} if happens(rng, 0.7) else {}
    names = list(video.hashtag_names)
    return {"hashtag_names": names, "hashtag_info_list": [_hashtag_info(name) for name in names]}


def _hashtag_info(name: str) -> Record:
    number = crc32(name.encode())
    info: Record = {"hashtag_id": number, "hashtag_name": name}
    if number % 3 == 0:
        info["hashtag_description"] = f"Everything about {name}"
    return info


def _effects(video: SandboxVideo, rng: Random) -> Record:
    effects: Record = {}
    if video.effect_ids:
        effects["effect_ids"] = list(video.effect_ids)
        effects["effect_info_list"] = [_effect_info(effect) for effect in video.effect_ids]
    if happens(rng, 0.05):
        number = int(rng.random() * len(STICKERS))
        sticker = {"sticker_id": 1_000_000 + number, "sticker_name": STICKERS[number]}
        effects["sticker_info_list"] = [sticker]
    return effects


def _effect_info(effect_id: str) -> Record:
    return {
        "effect_id": effect_id,
        "effect_name": EFFECTS[int(effect_id) % len(EFFECTS)],
        "effect_photo_url": f"https://effects.invalid/{effect_id}.jpeg",
    }


def _playlist(video: SandboxVideo, rng: Random, seed: int) -> Record:
    """Half of the videos that are in a playlist say so."""
    says_so = happens(rng, 0.5)
    playlist_id = playlist_of(seed, video.account.number, video.create_time)
    return {"playlist_id": playlist_id} if says_so and playlist_id else {}


def _rarities(rng: Random) -> Record:
    """Make up the fields that few videos have: mentions, a label, a tag."""
    rarities: Record = {}
    if happens(rng, 0.08):
        rarities["video_mention_list"] = rng.choice(
            (["olive_maple12"], ["Olive Maple", "zephyr.7"])
        )
    if happens(rng, 0.3):
        rarities["video_label"] = _label(warn=happens(rng, 0.1))
    if happens(rng, 0.05):
        kind, number = rng.choice(_VIDEO_TAGS)
        rarities["video_tag"] = {"type": kind, "number": number}
    return rarities


def _label(*, warn: bool) -> dict[str, Any]:
    content = "Learn the facts about this topic" if warn else ""
    return {"type": 3 if warn else 0, "vote": False, "warn": warn, "content": content, "sink": warn}
