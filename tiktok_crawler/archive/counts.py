"""What a replay has read and done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """Lines, answers, and what came of them.

    Of the pages, `known` ones were stored already, `outdated` ones are left out because the
    database knows later things of their windows, and `stray` ones are stored, but lack pages before
    them: their windows are parked, and their seeds stay open. Records are those of listings.
    """

    lines: int = 0
    answers: int = 0
    new_pages: int = 0
    known_pages: int = 0
    outdated_pages: int = 0
    stray_pages: int = 0
    stray_list_pages: int = 0
    new_videos: int = 0
    updated_videos: int = 0
    filled_videos: int = 0
    new_records: int = 0
    updated_records: int = 0
    filled_records: int = 0

    @property
    def pages(self) -> int:
        return self.new_pages + self.known_pages + self.outdated_pages
