"""Builds the requests to research endpoints, which the middlewares know by their `meta`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.http import JsonRequest

from tiktok_crawler import config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scrapy.settings import BaseSettings

    from tiktok_crawler.research_api.tasks import ApiRequest

FOLLOW_UP_PRIORITY = 10
"""Pages of what is begun go before what is new."""


def api_request(
    settings: BaseSettings,
    asked: ApiRequest,
    body: Mapping[str, Any],
    *,
    callback: Callable[..., Any],
    errback: Callable[..., Any],
    **meta: Any,
) -> JsonRequest:
    """The request that asks for a page; loopback is never proxied."""
    url, endpoint = config.api_url(settings), asked.endpoint
    proxy: dict[str, Any] = {"proxy": None} if config.is_loopback(url) else {}
    return JsonRequest(
        endpoint.url(url, asked.fields),
        data=dict(body),
        callback=callback,
        errback=errback,
        meta={"page_request": asked, "pool": endpoint.pool} | proxy | meta,
        priority=FOLLOW_UP_PRIORITY if asked.cursor else 0,
        dont_filter=True,
    )
