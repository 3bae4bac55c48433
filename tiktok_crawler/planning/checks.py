"""Says what checks of existence prove, and when that is too much to be believed. Pure.

A check asks TikTok's Batch Compliance API which of up to 10,000 ids it still has (api_facts.md
10.3).
"""

from __future__ import annotations

from enum import StrEnum


class CheckState(StrEnum):
    """The progress of a check."""

    OPEN = "open"
    """It is to be created, or it is not known whether it was."""
    PROCESSING = "processing"
    """The API works on it."""
    DONE = "done"
    """Its file has come, and is believed."""
    FAILED = "failed"
    """It proves nothing; its ids are asked about again."""


class CheckVerdict(StrEnum):
    """The decision on what the checks of a run did not list twice."""

    GONE = "gone"
    """It is gone."""
    HELD = "held"
    """It is too much at once: a person has to say."""
    REJECTED = "rejected"
    """A person said that it is not gone."""


class RecordKind(StrEnum):
    """The kinds of records that may be gone, and that persons may ask to delete."""

    VIDEO = "video"
    COMMENT = "comment"
    USER = "user"


class RemovalReason(StrEnum):
    """The reason why records were deleted."""

    GONE = "gone"
    """The API has them no longer."""
    ASKED = "asked"
    """They were named: somebody has asked for it."""
    QUERY = "query"
    """Their query's data was deleted."""
    TAG = "tag"
    """Their tag's data was deleted."""
    AGE = "age"
    """They were collected too long ago."""
