"""Shops, their products and what buyers say of these (api_facts.md 10.2)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from tiktok_crawler.research_api.endpoints import PRODUCTS, REVIEWS, SHOPS
from tiktok_crawler.sandbox.lists.source import ListedEntries, ListEntry, ListSource, seed_number
from tiktok_crawler.sandbox.protocol.errors import invalid_params
from tiktok_crawler.sandbox.world.chance import happens
from tiktok_crawler.sandbox.world.people import POPULATION
from tiktok_crawler.sandbox.world.vocabulary import ADJECTIVES, ENGLISH, NOUNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tiktok_crawler.sandbox.world.blemishes import Record

_SHOPS = 400
_FIRST_SHOP = 7_494_000_000_000_000_000
_SHOP_STEP = 10_007
_FIRST_PRODUCT = 1_729_000_000_000_000_000
_MOST_PRODUCTS = 1_000
_KINDS = ("Store", "Shop", "Boutique", "Market", "Official")
_CURRENCIES = ("GBP", "EUR")
_RATINGS = ("ONE", "TWO", "THREE", "FOUR", "FIVE")
_START_OF_2023 = 1_672_531_200_000
_YEAR = 365 * 86_400_000


class _Shop(NamedTuple):
    number: int
    name: str

    @property
    def id(self) -> int:
        return _FIRST_SHOP + self.number * _SHOP_STEP


class _Product(NamedTuple):
    shop: _Shop
    number: int

    @property
    def id(self) -> int:
        return _FIRST_PRODUCT + self.shop.number * _MOST_PRODUCTS + self.number


class _Review(NamedTuple):
    product: _Product
    number: int


class _ShopSource(ListSource):
    """The common part of the three: there are few shops, and each knows what it sells."""

    message = None
    default_count = 10

    def _shop(self, number: int) -> _Shop:
        rng = self._world.rng("shop", number)
        words = rng.choice(ADJECTIVES), rng.choice(NOUNS), rng.choice(_KINDS)
        return _Shop(number, " ".join(words).title())

    def _product_count(self, shop: _Shop) -> int:
        chosen = self._world.lists.products
        drawn = int(self._world.rng("products", shop.number).random() ** 2 * 60)
        return min(drawn if chosen is None else chosen, _MOST_PRODUCTS)

    def _review_count(self, product: _Product) -> int:
        chosen = self._world.lists.reviews
        if chosen is not None:
            return chosen
        return int(self._world.rng("reviews", product.id).random() ** 3 * 120)

    def _product_name(self, product: _Product) -> str:
        rng = self._world.rng("product", product.id)
        return f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)} No. {product.number + 1}".title()

    def _products(self, shop: _Shop) -> Iterator[_Product]:
        return (_Product(shop, number) for number in range(self._product_count(shop)))


class Shops(_ShopSource):
    """The shops whose names have the wanted words in them; never more than ten."""

    listing = SHOPS

    def find(self, seed: str) -> ListedEntries:
        shops = (self._shop(number) for number in range(_SHOPS))
        found = (ListEntry(shop) for shop in shops if seed.lower() in shop.name.lower())
        return ListedEntries(list(islice(found, SHOPS.endpoint.max_count)))

    def record(self, item: _Shop, fields: frozenset[str] | None) -> Record:
        rng = self._world.rng("shop record", item.number)
        reviews = sum(self._review_count(product) for product in self._products(item))
        record: Record = {
            "shop_name": item.name,
            "shop_rating": _rating(rng),
            "shop_review_count": reviews,
            "item_sold_count": reviews * (1 + int(rng.random() * 9)),
            "shop_id": item.id,
        }
        if happens(rng, 0.5):
            record["shop_performance_value"] = f"{int(60 + rng.random() * 40)}%"
        return self._dress(record, item.id, fields)

    def seeds(self) -> Iterator[str]:
        return iter(dict.fromkeys(self._shop(number).name for number in range(_SHOPS)))


class Products(_ShopSource):
    """The products of a shop."""

    listing = PRODUCTS

    def find(self, seed: str) -> ListedEntries:
        number, rest = divmod(seed_number(seed, self.listing.seed_key) - _FIRST_SHOP, _SHOP_STEP)
        if rest or not 0 <= number < _SHOPS:
            raise invalid_params(f"Invalid shop_id: {seed}")
        products = [ListEntry(product) for product in self._products(self._shop(number))]
        return ListedEntries(products)

    def record(self, item: _Product, fields: frozenset[str] | None) -> Record:
        rng, reviews = self._world.rng("product record", item.id), self._review_count(item)
        counts = _shares(rng, reviews, len(_RATINGS))
        record: Record = {
            "product_id": item.id,
            "product_name": self._product_name(item),
            "product_description": " ".join(rng.choices(ENGLISH.words, k=12)),
            "product_price": _prices(rng),
            "product_sold_count": reviews * (1 + int(rng.random() * 9)),
            "product_review_count": reviews,
            "shop_name": item.shop.name,
        }
        if reviews:
            record["product_rating"] = _rating(rng)
        record |= {f"product_rating_{n}_count": count for n, count in enumerate(counts, start=1)}
        return self._dress(record, item.id, fields)

    def seeds(self) -> Iterator[str]:
        return (str(self._shop(number).id) for number in range(_SHOPS))


class Reviews(_ShopSource):
    """The buyers' reviews of a product."""

    listing = REVIEWS

    def find(self, seed: str) -> ListedEntries:
        places = divmod(seed_number(seed, self.listing.seed_key) - _FIRST_PRODUCT, _MOST_PRODUCTS)
        product = _Product(self._shop(places[0]), places[1])
        exists = 0 <= places[0] < _SHOPS and places[1] < self._product_count(product.shop)
        if not exists:
            raise invalid_params(f"Invalid product_id: {seed}")
        reviews = range(self._review_count(product))
        return ListedEntries([ListEntry(_Review(product, number)) for number in reviews])

    def record(self, item: _Review, fields: frozenset[str] | None) -> Record:
        rng = self._world.rng("review", item.product.id, item.number)
        author = self._world.people.person(int(rng.random() * POPULATION)).username
        record: Record = {
            "product_name": self._product_name(item.product),
            "review_text": " ".join(rng.choices(ENGLISH.words, k=int(rng.random() * 20))),
            "review_like_count": int(rng.random() ** 6 * 50),
            "create_time": _START_OF_2023 + int(rng.random() * _YEAR),
            "review_rating": rng.choice(_RATINGS),
        }
        if happens(rng, 0.9):
            record["display_name"] = f"{author[0]}***{author[-1]}"
        key = item.product.id + (item.number << 32)
        return self._dress(record, key, fields)

    def seeds(self) -> Iterator[str]:
        shops = (self._shop(number) for number in range(_SHOPS))
        return (str(product.id) for shop in shops for product in self._products(shop))


def _rating(rng: Random) -> str:
    return f"{3 + rng.random() * 2:.1f}"


def _prices(rng: Random) -> list[str]:
    """One, or the lowest and the highest."""
    currency = rng.choice(_CURRENCIES)
    prices = sorted(round(1 + rng.random() ** 3 * 200, 2) for _ in range(1 + rng.getrandbits(1)))
    return [f"{price:.2f}{currency}" for price in prices]


def _shares(rng: Random, whole: int, number: int) -> list[int]:
    """A whole in parts, the last of which are the largest."""
    drawn = rng.choices(range(number), weights=range(1, number + 1), k=whole)
    return [drawn.count(part) for part in range(number)]
