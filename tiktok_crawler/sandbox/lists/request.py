"""A request for a page of a list: what it must have, and what the API refuses of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tiktok_crawler.research_api.paging import Paging
from tiktok_crawler.sandbox.protocol.errors import invalid_params
from tiktok_crawler.sandbox.protocol.parameters import parse_fields, parse_number

if TYPE_CHECKING:
    from tiktok_crawler.research_api.endpoints import Endpoint, SeedKey
    from tiktok_crawler.sandbox.lists.source import ListSource


@dataclass(frozen=True, slots=True)
class SandboxRequest:
    """One page of a list; `cursor` is 0 on the first, or the number of a page, from 1.

    `fields` is None where the endpoint takes no such parameter.
    """

    seed: str
    fields: frozenset[str] | None
    count: int
    cursor: int


def parse_list_request(
    source: ListSource, document: dict[str, Any], fields: str | None
) -> SandboxRequest:
    """Read the JSON body and the `fields` of the URL.

    Raises:
        ApiError: the API would refuse them.
    """
    key, endpoint = source.listing.seed_key, source.listing.endpoint
    numbered = endpoint.paging is Paging.NUMBERED
    first = 1 if numbered else 0
    return SandboxRequest(
        seed=_seed(key, document[key]),
        fields=_fields(endpoint, document, fields),
        count=parse_number(
            document.get(endpoint.count_key or "max_count"),
            default=source.default_count,
            lowest=1,
            highest=endpoint.max_count,
        ),
        cursor=parse_number(
            document.get("page_start" if numbered else "cursor"), default=first, lowest=first
        ),
    )


def _seed(key: SeedKey, value: object) -> str:
    """Names are text; ids are numbers, also written as text (api_facts.md 1.14)."""
    is_id = key.is_id and isinstance(value, int)
    if isinstance(value, bool) or not (isinstance(value, str) or is_id) or not value:
        raise invalid_params(f"Invalid {key}")
    return str(value)


def _fields(
    endpoint: Endpoint, document: dict[str, Any], text: str | None
) -> frozenset[str] | None:
    if not endpoint.fields:
        return None
    in_body = document.get("fields") if endpoint.fields_in_body else None
    if isinstance(in_body, str):
        text = text or in_body
    return parse_fields(text, endpoint.record_keys)
