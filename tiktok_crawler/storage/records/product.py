"""Products of shops (api_facts.md 10.2)."""

from __future__ import annotations

from tiktok_crawler.research_api.endpoints import PRODUCTS
from tiktok_crawler.storage.models.records import Product
from tiktok_crawler.storage.records.field_readers import (
    id_number,
    id_text,
    integer,
    structure,
    text,
    words,
)
from tiktok_crawler.storage.records.record_type import Listed, RecordType
from tiktok_crawler.storage.records.shape import Shape

PRODUCT = RecordType(
    Shape(
        "product",
        {
            "shop_id": id_number,
            "shop_name": text,
            "product_name": text,
            "product_description": text,
            "product_price": structure,
            "product_sold_count": integer,
            "product_review_count": integer,
            "product_rating": words,
            **{f"product_rating_{stars}_count": integer for stars in range(1, 6)},
        },
        id_keys=("product_id",),
        read_id=id_text,
    ),
    Product.__table__,
)

LISTED = {PRODUCTS: Listed(PRODUCT, seed_column="shop_id")}
