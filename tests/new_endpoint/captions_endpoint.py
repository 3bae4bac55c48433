"""What research_api/endpoints.py would say of an endpoint that does not exist."""

from __future__ import annotations

from tiktok_crawler.research_api.endpoints import LISTINGS, Endpoint, Listing, SeedKey

CAPTIONS = Listing(
    "captions",
    Endpoint(
        path="/v2/research/video/caption/list/",
        fields=("id", "language", "text"),
        records_keys=("captions",),
        max_count=5,
        unasked=("is_automatic",),
    ),
    SeedKey.VIDEO_ID,
    seed_column="video_id",
)
"""The captions of a video."""

LISTINGS[CAPTIONS.name] = CAPTIONS
