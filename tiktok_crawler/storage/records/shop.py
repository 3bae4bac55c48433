"""Shops (api_facts.md 10.2)."""

from __future__ import annotations

from tiktok_crawler.research_api.endpoints import SHOPS
from tiktok_crawler.storage.models.records import Shop
from tiktok_crawler.storage.records.field_readers import integer, text, words
from tiktok_crawler.storage.records.record_type import Listed, RecordType
from tiktok_crawler.storage.records.shape import Shape

SHOP = RecordType(
    Shape(
        "shop",
        {
            "shop_name": text,
            "shop_rating": words,
            "shop_review_count": integer,
            "item_sold_count": integer,
            "shop_performance_value": words,
        },
        id_keys=("shop_id",),
    ),
    Shop.__table__,
)

LISTED = {SHOPS: Listed(SHOP)}
