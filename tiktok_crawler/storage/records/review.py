"""Reviews of products, which have no ids (api_facts.md 10.2)."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from tiktok_crawler.research_api.endpoints import REVIEWS
from tiktok_crawler.storage.models.column_types import dump_json
from tiktok_crawler.storage.models.records import Product, Review
from tiktok_crawler.storage.records.field_readers import id_text, integer, long_time, text, words
from tiktok_crawler.storage.records.record_type import Listed, RecordType
from tiktok_crawler.storage.records.shape import Shape

KEYS = ("product_id", "display_name", "create_time", "review_rating", "review_text")
"""The keys that tell reviews of a product apart; only the number of likes is expected to change."""


def _fingerprint(record: dict[str, Any], seed: str) -> int:
    """63 bits of a fingerprint."""
    identity = dump_json([seed, *map(record.get, KEYS)])
    return int.from_bytes(sha256(identity.encode()).digest()[:8]) >> 1


REVIEW = RecordType(
    Shape(
        "review",
        {
            "product_id": id_text,
            "product_name": text,
            "display_name": text,
            "review_text": text,
            "review_like_count": integer,
            "review_rating": words,
            "create_time": long_time,
        },
    ),
    Review.__table__,
    identify=_fingerprint,
)

LISTED = {
    REVIEWS: Listed(
        REVIEW,
        seed_column="product_id",
        known_total=Product.__table__.c.product_review_count,
    )
}
