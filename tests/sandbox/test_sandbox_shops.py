from __future__ import annotations

import json
import re

import pytest
from list_client import ListClient, sandbox, some_seeds

from tiktok_crawler.research_api.endpoints import PRODUCTS, REVIEWS, SHOPS
from tiktok_crawler.sandbox.protocol.calls import Call

SHARED = sandbox()


def first(listing: str, at_least: int = 1) -> str:
    return some_seeds(SHARED, listing, 1, at_least=at_least)[0]


def test_shops_are_found_by_words_of_their_names_in_any_case():
    asking = ListClient(SHARED)
    name = first("shops")
    assert name in {shop["shop_name"] for shop in asking.records("shops", name.upper())}
    assert asking.data("shops", "no shop of this name") == {"shop_data": []}


def test_there_are_up_to_ten_shops():
    asking = ListClient(SHARED)
    many = asking.records("shops", "o")
    assert len(many) == 10
    assert many == SHARED.truth("shops", "o")
    assert asking.records("shops", "o", limit=3) == many[:3]


def test_pages_are_numbered_until_one_comes_empty():
    seed = first("products", at_least=21)
    pages = ListClient(SHARED).pages("products", seed)
    sizes = [len(page["product_data"]) for page in pages]
    assert sizes[:2] == [10, 10]
    assert sizes[-1] == 0
    assert sum(sizes) == len(SHARED.truth("products", seed))
    assert all(page.keys() == {"product_data"} for page in pages)


def test_pages_can_be_smaller():
    seed = first("products", at_least=5)
    second = ListClient(SHARED).data("products", seed, page_size=2, page_start=2)["product_data"]
    assert second == SHARED.truth("products", seed)[2:4]


def test_a_page_zero_is_refused():
    problem = ListClient(SHARED).problem("products", first("products"), page_start=0)
    assert problem == (400, "invalid_params", "Invalid count or cursor")


def test_a_shop_leads_to_its_products_and_these_to_their_reviews():
    shop = SHARED.truth("shops", first("shops"))[0]
    products = SHARED.truth("products", str(shop["shop_id"]))
    reviews = {
        each["product_id"]: SHARED.truth("reviews", str(each["product_id"])) for each in products
    }
    assert {each["shop_name"] for each in products} == {shop["shop_name"]}
    assert shop["shop_review_count"] == sum(map(len, reviews.values())) > 0
    for product in products:
        stars = [product[f"product_rating_{n}_count"] for n in range(1, 6)]
        assert sum(stars) == product["product_review_count"] == len(reviews[product["product_id"]])
        assert {r["product_name"] for r in reviews[product["product_id"]]} <= {
            product["product_name"]
        }


def test_records_have_the_shape_of_the_api():
    shop = SHARED.truth("shops", first("shops"))[0]
    product = SHARED.truth("products", first("products"))[0]
    review = SHARED.truth("reviews", first("reviews"))[0]
    assert shop.keys() - {"shop_performance_value"} == set(SHOPS.endpoint.fields)
    assert product.keys() - {"product_rating"} == {*PRODUCTS.endpoint.fields, "shop_name"}
    assert review.keys() - {"display_name"} == set(REVIEWS.endpoint.fields)
    assert re.fullmatch(r"[345]\.\d", shop["shop_rating"])
    assert all(re.fullmatch(r"\d+\.\d\d(GBP|EUR)", price) for price in product["product_price"])
    assert review["create_time"] > 10**12
    assert review["review_rating"] in {"ONE", "TWO", "THREE", "FOUR", "FIVE"}
    assert {len(str(shop["shop_id"])), len(str(product["product_id"]))} == {19}


@pytest.mark.parametrize("in_url", ["shop_name", None])
def test_fields_stand_in_the_url_or_in_the_body(in_url):
    asking = ListClient(SHARED)
    body = {"shop_name": "o"} | ({} if in_url else {"fields": "shop_name"})
    answer = asking.sandbox.answer(
        Call(
            SHOPS.endpoint.path, in_url, f"Bearer {asking.tokens.token}", json.dumps(body).encode()
        )
    )
    [first_shop, *_] = json.loads(answer.body)["data"]["shop_data"]
    assert first_shop.keys() <= {"shop_name", "shop_performance_value"}


def test_errors_of_shops_have_the_envelope_of_errors():
    status, body = ListClient(SHARED).ask("products", 7)
    assert status == 400
    assert body.keys() == {"error"}
