"""Says in a message what has changed since one was sent last. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.spelling import number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Self

    from tiktok_crawler.attention.needs import Need


@dataclass(frozen=True, slots=True)
class Digest:
    """What is new of that which needs a person, what still does, and what is over, by its key."""

    new: tuple[Need, ...]
    still: tuple[Need, ...]
    over: Mapping[str, str]

    @classmethod
    def of(cls, needs: Iterable[Need], told: Mapping[str, str]) -> Self:
        """Compare what needs a person now with what was told last."""
        needs = tuple(needs)
        keys = {need.key for need in needs}
        return cls(
            new=tuple(need for need in needs if need.key not in told),
            still=tuple(need for need in needs if need.key in told),
            over={key: text for key, text in told.items() if key not in keys},
        )

    def __bool__(self) -> bool:
        """Tell whether there is anything to send."""
        return bool(self.new or self.over)

    def title(self, study: str) -> str:
        """Say in a line how it stands with a study."""
        count = len(self.new) + len(self.still)
        if not count:
            return f"{study}: all is well again"
        return f"{study}: {number_of(count, 'things')} {'needs' if count == 1 else 'need'} a person"

    @property
    def body(self) -> str:
        parts = {
            "New:": [need.text for need in self.new],
            "Over (as it was told):": self.over.values(),
            "Still so:": [need.text for need in self.still],
        }
        sections = [
            "\n".join([heading, *(f"- {text}" for text in texts)])
            for heading, texts in parts.items()
            if texts
        ]
        return "\n\n".join([*sections, "scrapy status --check says how it is now."])
