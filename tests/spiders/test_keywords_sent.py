"""In which form keywords are sent."""

from __future__ import annotations

from os import EX_OK

from crawling import exit_status
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import ScriptedApi, page, serving

KEYWORD = """
start_date: 2024-01-01
end_date: 2024-01-31
include: {all_keywords: [butter]}
"""


@deferred_f_from_coro_f
async def test_a_keyword_is_sent_as_in_and_the_query_stays_the_same(folder):
    folder.query_file.write_text(KEYWORD)
    async with serving(ScriptedApi(page(2, has_more=True), page(1))) as api:
        crawler = await folder.crawl(api.url)
    keyword = {"operation": "IN", "field_name": "keyword", "field_values": ["butter"]}
    assert [body["query"] for body in api.bodies] == 2 * [{"and": [keyword]}]
    ((canonical,),) = folder.rows("SELECT canonical_json FROM query")
    assert '"operation":"EQ"' in canonical
    assert exit_status(crawler) == EX_OK
