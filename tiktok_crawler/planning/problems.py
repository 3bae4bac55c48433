"""Problems that keep a request from bringing a page, and a queue's possible answers to them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from tiktok_crawler.planning.task_states import Cut, Halved, Parked, Refused, Unusable

if TYPE_CHECKING:
    from tiktok_crawler.research_api.verdicts import Verdict


class ProblemKind(Enum):
    """The reason why a request is not sent again."""

    FAILED = auto()
    """It was tried often enough."""
    REFUSED = auto()
    """The API does not accept it: repeating it cannot help."""
    CURSOR_LOST = auto()
    """The API does not accept its cursor any more."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A request that ended without a page; as text in the words of the API, or of the network.

    `verdict` is what its last answer means, None if there was none.
    """

    kind: ProblemKind
    reason: str
    log_id: str | None = None
    verdict: Verdict | None = None

    def __str__(self) -> str:
        return f"{self.reason} (log_id {self.log_id})"


@dataclass(frozen=True, slots=True)
class AskAnew:
    """Search what is left of the window, or all of it, once more."""


@dataclass(frozen=True, slots=True)
class EndOfList:
    """The answer says that there is no more."""


@dataclass(frozen=True, slots=True)
class ApiIsDown:
    """Nothing works: ask again when something does."""


@dataclass(frozen=True, slots=True)
class StopCrawl:
    """The requests themselves are wrong: no other one will be accepted, for a reason in words."""

    reason: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """Others go on, and the search that this belongs to does not, for a reason in words."""

    reason: str
    is_refused: bool = False


Answer = (
    Parked
    | Refused
    | Cut
    | Halved
    | Unusable
    | AskAnew
    | EndOfList
    | ApiIsDown
    | StopCrawl
    | SetAside
)
