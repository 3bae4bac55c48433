"""The arguments of the spiders that list things: what each takes, and what is said of mistakes."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tiktok_crawler.arguments.listing_arguments import SPIDERS, GivenStages, read
from tiktok_crawler.date_range import DateRange
from tiktok_crawler.exceptions import CrawlerError, UsageError
from tiktok_crawler.planning.seeds import (
    FirstSeeds,
    GivenSeeds,
    ProductsOfShops,
    RelatedUsers,
    RepliedComments,
    SeedsOfQuery,
    SeedsOfTag,
    ShopsByName,
    Stage,
)
from tiktok_crawler.query_file.collection import read_collection
from tiktok_crawler.research_api import endpoints

TODAY = date(2024, 6, 15)
OF_USERS = ["users", "followers", "following", "liked_videos", "pinned_videos", "reposted_videos"]
QUERY = "start_date: 2024-01-01\nend_date: 2024-03-31\nregions: [US]\ntags: [one, two]\n"

SOURCES = [
    *((name, "usernames", "ada,bob", ("ada", "bob")) for name in OF_USERS),
    ("comments", "video_ids", "7,8", ("7", "8")),
    ("playlists", "playlist_ids", "7", ("7",)),
    ("shops", "shop_names", "Ada & Sons", ("Ada & Sons",)),
    ("products", "shop_ids", "7", ("7",)),
    ("reviews", "product_ids", "7", ("7",)),
]


def given(spider: str, **arguments: str) -> GivenStages:
    return read(SPIDERS[spider], arguments, today=TODAY)


def usernames(**arguments: str) -> tuple[str, ...]:
    (stage,) = given("users", **arguments).stages
    assert isinstance(stage.source, GivenSeeds)
    return stage.source.values


def refusal(spider: str, **arguments: str) -> str:
    with pytest.raises(UsageError) as caught:
        given(spider, **arguments)
    (line,) = str(caught.value).splitlines()
    assert len(line) < 500
    return line


def test_all_listings_but_replies_have_a_spider():
    assert set(SPIDERS) == set(endpoints.LISTINGS) - {"replies"}


# --- Seeds ---


@pytest.mark.parametrize(("spider", "name", "written", "seeds"), SOURCES)
def test_each_spider_takes_seeds_of_its_kind(spider, name, written, seeds):
    assert given(spider, **{name: written}) == GivenStages(
        (Stage(SPIDERS[spider], GivenSeeds(seeds)),), tags=(), max_requests=None
    )


@pytest.mark.parametrize("spider", SPIDERS)
def test_a_spider_without_seeds_says_which_arguments_name_them(spider):
    own = next(name for known, name, *_ in SOURCES if known == spider)

    assert f"{spider} need one of -a {own}=..." in refusal(spider)


@pytest.mark.parametrize(
    ("spider", "arguments"),
    [
        ("users", {"usernames": "ada", "from_tag": "cats"}),
        ("comments", {"from_query": "query.yaml", "from_tag": "cats"}),
        ("products", {"shop_ids": "7", "shop_names": "Ada"}),
        ("reviews", {"shop_ids": "7", "product_ids": "7"}),
    ],
)
def test_seeds_come_from_one_place(spider, arguments):
    assert refusal(spider, **arguments).endswith(", not 2")


# --- Files ---


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"ada\nbob\n", ("ada", "bob")),
        (b"ada\r\nbob\r\n", ("ada", "bob")),
        (b"ada\rbob", ("ada", "bob")),
        (b"\xef\xbb\xbfada\nbob", ("ada", "bob")),
        (b"@ada,bob\ncy", ("ada", "bob", "cy")),
        (b"\n\n  ada  \n\n,\nbob\n\n", ("ada", "bob")),
        (b"ada\n@ada\nada", ("ada",)),
        ("ädä".encode(), ("ädä",)),
    ],
    ids=str,
)
def test_a_file_has_seeds_between_line_feeds_and_commas(tmp_path, content, names):
    path = tmp_path / "names.txt"
    path.write_bytes(content)

    assert usernames(usernames=f"@{path}") == names


def test_a_file_of_many_seeds_is_read(tmp_path):
    path = tmp_path / "ids.txt"
    path.write_text("\n".join(str(7318480000000000000 + number) for number in range(100_000)))

    (stage,) = given("comments", video_ids=f"@{path}").stages

    assert len(stage.source.values) == 100_000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "names nothing"),
        (b"\n ,\n\xef\xbb\xbf"[:3], "names nothing"),
        ("ädä".encode("latin-1"), "is not UTF-8 text; save it as UTF-8"),
        ("ada\nbob".encode("utf-16"), "is UTF-16 text; save it as UTF-8"),
        (b"ada\nbob smith\n", "'bob smith' is not a username, such as some.body1"),
    ],
    ids=str,
)
def test_a_file_that_cannot_be_used_is_named_with_the_reason(tmp_path, content, words):
    path = tmp_path / "names.txt"
    path.write_bytes(content)

    line = refusal("users", usernames=f"@{path}")

    assert str(path) in line
    assert words in line


@pytest.mark.parametrize(
    ("spider", "name", "content", "seeds"),
    [
        ("users", "usernames", "Name;Username\nAda L.;@ada\nBob;bob\n", ("ada", "bob")),
        ("users", "usernames", "profile\nhttps://www.tiktok.com/@ada?lang=en\n", ("ada",)),
        ("comments", "video_ids", "id\tviews\n7\t1200\n8\t3\n", ("7", "8")),
        ("comments", "video_ids", "https://www.tiktok.com/@ada/video/7\n", ("7",)),
        ("shops", "shop_names", 'shop,n\n"Ada, & Sons",1\n', ("Ada, & Sons",)),
        ("products", "shop_ids", "# mine\n7 # the first\n", ("7",)),
    ],
)
def test_a_table_has_seeds_in_the_column_of_their_name(tmp_path, spider, name, content, seeds):
    path = tmp_path / "table.csv"
    path.write_text(content)

    (stage,) = given(spider, **{name: f"@{path}"}).stages

    assert stage.source == GivenSeeds(seeds)


def test_repeats_in_a_file_are_counted(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("ada\n@ada\nbob\nhttps://www.tiktok.com/@ada\n")

    assert given("users", usernames=f"@{path}").notes == (f"{path}: 2 users; left out 2 repeats",)
    assert given("users", usernames="ada,ada").notes == ()


def test_each_bad_line_of_a_file_is_named(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text("username,n\nada,1\nbob smith,2\n,3\n“cy”,4\n")

    with pytest.raises(UsageError) as caught:
        given("users", usernames=f"@{path}")

    assert [line.split(" ")[0] for line in str(caught.value).splitlines()] == [
        f"{path}:{number}:" for number in (3, 4, 5)
    ]


def test_of_a_file_that_is_all_wrong_a_hundred_lines_are_named(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("a b\n" * 150)

    with pytest.raises(UsageError, match="and perhaps more") as caught:
        given("users", usernames=f"@{path}")

    assert len(str(caught.value).splitlines()) == 101


def test_a_table_without_a_column_of_that_name_asks_for_nothing(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("Person,Followers\nada,3\nbob,4\n")

    line = refusal("users", usernames=f"@{path}")

    assert line.startswith(f"{path}:1: looks like a table, and which of its columns")


@pytest.mark.parametrize(("spider", "name", "_written", "_seeds"), SOURCES)
def test_a_file_that_is_not_there_is_no_seed(spider, name, _written, _seeds, tmp_path):
    for path in ("names.txt", f"{tmp_path}/names.txt", str(tmp_path), "x" * 300):
        line = refusal(spider, **{name: f"@{path}"})
        assert line.startswith(f"-a {name}='@")
        assert "there is no such file" in line


@pytest.mark.parametrize("count", [2, 1000])
def test_usernames_may_have_at_signs_in_a_list(count):
    names = tuple(f"user{number}" for number in range(count))

    assert usernames(usernames=",".join(f"@{name}" for name in names)) == names


def test_a_file_may_have_a_comma_in_its_name(tmp_path):
    path = tmp_path / "ada,bob.txt"
    path.write_text("cy")

    assert usernames(usernames=f"@{path}") == ("cy",)


@pytest.mark.parametrize(
    ("spider", "name", "written"),
    [
        ("users", "usernames", "ada bob"),
        ("users", "usernames", ","),
        ("comments", "video_ids", "9223372036854775808"),
        ("comments", "video_ids", "https://www.tiktok.com/@ada"),
        ("playlists", "playlist_ids", "x"),
        ("shops", "shop_names", "a\0b"),
        ("products", "shop_ids", "-1"),
        ("reviews", "product_ids", "7.5"),
    ],
)
def test_a_seed_that_cannot_be_one_is_named_with_its_argument(spider, name, written):
    assert refusal(spider, **{name: written}).startswith(f"-a {name}: ")


# --- From the database ---


@pytest.fixture
def query(tmp_path):
    path = tmp_path / "query.yaml"
    path.write_text(QUERY)
    return path


@pytest.mark.parametrize("spider", [*OF_USERS, "comments", "playlists"])
def test_seeds_can_come_from_what_a_query_has_found_with_its_tags(spider, query):
    collection = read_collection(query, today=TODAY)

    assert given(spider, from_query=str(query)) == GivenStages(
        (
            Stage(
                SPIDERS[spider],
                SeedsOfQuery(
                    collection.query.fingerprint,
                    collection.dates,
                    int(spider == "comments"),
                ),
            ),
        ),
        tags=("one", "two"),
        max_requests=None,
    )


def test_dates_beside_a_query_go_before_its_own(query):
    (stage,) = given(
        "users", from_query=str(query), start_date="2024-02-01", end_date="yesterday"
    ).stages

    assert stage.source.days == DateRange(date(2024, 2, 1), date(2024, 6, 14))


def test_tags_beside_a_query_go_before_its_own(query):
    assert given("users", from_query=str(query), tags="mine").tags == ("mine",)


@pytest.mark.parametrize("spider", ["shops", "products", "reviews"])
@pytest.mark.parametrize("name", ["from_query", "from_tag", "start_date"])
def test_shops_are_not_found_in_videos(spider, name):
    assert "there is no such argument" in refusal(spider, **{name: "x"})


def test_a_query_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CrawlerError, match=r"none\.yaml"):
        given("users", from_query=str(tmp_path / "none.yaml"))


@pytest.mark.parametrize("name", ["start_date", "end_date"])
@pytest.mark.parametrize("source", [{"usernames": "ada"}, {"from_tag": "cats"}])
def test_dates_without_a_query_would_mean_nothing_and_are_refused(name, source):
    line = refusal("users", **source, **{name: "2024-01-01"})

    assert line.startswith(f"-a {name}")
    assert "from_query" in line


def test_a_least_comment_count_of_videos_that_are_named_is_refused():
    line = refusal("comments", video_ids="7", min_comment_count="5")

    assert line.startswith("-a min_comment_count")
    assert "from_query" in line
    assert "from_tag" in line


# --- A step on, and the first ones ---

SHOPS = ShopsByName(("Ada", "Bob"))
IN_THE_DATABASE = [
    *((name, {"from_tag": " my tag "}, SeedsOfTag("my tag")) for name in (*OF_USERS, "playlists")),
    ("comments", {"from_tag": "cats"}, SeedsOfTag("cats", 1)),
    ("products", {"shop_names": "Ada,Bob"}, SHOPS),
    ("reviews", {"shop_ids": "7,8"}, ProductsOfShops(GivenSeeds(("7", "8")))),
    ("reviews", {"shop_names": "Ada,Bob"}, ProductsOfShops(SHOPS)),
    *(
        (name, {**users, "via": via}, RelatedUsers(source, endpoints.LISTINGS[via]))
        for name in OF_USERS
        for via in ("followers", "following")
        for users, source in (
            ({"usernames": "ada,bob"}, GivenSeeds(("ada", "bob"))),
            ({"from_tag": "cats"}, SeedsOfTag("cats")),
        )
    ),
]


@pytest.mark.parametrize(("spider", "arguments", "source"), IN_THE_DATABASE)
def test_seeds_are_those_that_the_database_leads_to_or_the_first_of_them(spider, arguments, source):
    (every,) = given(spider, **arguments).stages
    (first,) = given(spider, **arguments, max_seeds="100").stages

    assert every.source == source
    assert first.source == FirstSeeds(source, 100)


@pytest.mark.parametrize("via", ["users", "follower", "1"])
def test_a_list_that_leads_to_nobody_is_refused(via):
    line = refusal("users", usernames="ada", via=via)

    assert line == f"-a via={via}: allowed are followers or following"


@pytest.mark.parametrize("spider", ["comments", "playlists", "shops"])
def test_nothing_but_users_is_found_in_follow_lists(spider):
    assert "there is no such argument" in refusal(spider, via="following")


def test_the_first_named_seeds_are_listed_alone():
    assert usernames(usernames="ada,bob,cy", max_seeds="2") == ("ada", "bob")


def test_replies_are_those_to_comments_of_the_first_videos_alone():
    comments, replies = given("comments", from_tag="cats", max_seeds="9", replies="1").stages

    assert replies.source == RepliedComments(comments.source)


# --- The other arguments ---


@pytest.mark.parametrize(
    ("spider", "source", "limit"),
    [
        ("comments", "video_ids", "max_per_video"),
        ("followers", "usernames", "max_per_user"),
        ("following", "usernames", "max_per_user"),
        ("liked_videos", "usernames", "max_per_user"),
        ("reposted_videos", "usernames", "max_per_user"),
        ("playlists", "playlist_ids", "max_per_playlist"),
        ("products", "shop_ids", "max_per_shop"),
        ("reviews", "product_ids", "max_per_product"),
    ],
)
def test_listings_of_many_pages_can_be_limited(spider, source, limit):
    (stage,) = given(spider, **{source: "7", limit: "200"}).stages

    assert stage.limit == 200


@pytest.mark.parametrize(
    ("spider", "name"),
    [
        ("users", "max_per_user"),
        ("pinned_videos", "max_per_user"),
        ("playlists", "max_per_user"),
        ("shops", "max_per_shop"),
        ("comments", "max_per_user"),
        ("users", "video_ids"),
        ("users", "replies"),
        ("users", "min_comment_count"),
        ("users", "query"),
        ("users", "refresh_after"),
        ("comments", "comment_ids"),
    ],
)
def test_an_argument_that_a_spider_does_not_take_is_refused_with_those_that_it_takes(spider, name):
    source = next(argument for known, argument, *_ in SOURCES if known == spider)

    line = refusal(spider, **{source: "7", name: "7"})

    assert line.startswith(f"-a {name}=...: there is no such argument")
    assert source in line.split("Allowed are: ")[1]


def test_a_misspelled_argument_is_recognised():
    assert "did you mean 'usernames'?" in refusal("users", username="ada")


@pytest.mark.parametrize(
    ("spider", "name", "value"),
    [
        ("comments", name, value)
        for name in ("max_per_video", "max_requests", "max_seeds")
        for value in ("0", "-1", "1.5", "many", "1000000000", "\u0667")
    ]
    + [("comments", "min_comment_count", "0")],
)
def test_limits_are_whole_numbers_of_at_least_1(spider, name, value):
    assert refusal(spider, from_tag="cats", **{name: value}).startswith(f"-a {name}={value}: not a")


@pytest.mark.parametrize(
    ("written", "age"),
    [("7d", timedelta(days=7)), ("2 weeks", timedelta(weeks=2)), ("never", None)],
)
def test_an_age_says_what_is_asked_for_again(written, age):
    (stage,) = given("users", usernames="ada", max_age=written).stages

    assert stage.max_age == age


@pytest.mark.parametrize("written", ["7", "soon", "-7d", "0d", "7 months"])
def test_what_is_no_age_is_refused_with_examples(written):
    line = refusal("users", usernames="ada", max_age=written)

    assert line.startswith(f"-a max_age: '{written}' is not an age; allowed: ")


def test_replies_have_a_limit_of_their_own():
    comments, replies = given(
        "comments", from_tag="cats", replies="1", max_per_video="50", max_per_comment="9"
    ).stages
    assert (comments.limit, replies.limit) == (50, 9)
    with pytest.raises(UsageError, match=r"max_per_comment=\.\.\. requires -a replies=1"):
        given("comments", from_tag="cats", max_per_comment="9")


def test_replies_are_a_stage_after_the_comments():
    comments, replies = given(
        "comments", from_tag="cats", replies="1", max_per_video="50", max_age="7d"
    ).stages

    week = timedelta(days=7)
    assert comments == Stage(endpoints.COMMENTS, SeedsOfTag("cats", 1), week, 50)
    assert replies == Stage(endpoints.REPLIES, RepliedComments(SeedsOfTag("cats", 1)), week)


def test_without_replies_there_is_one_stage():
    assert len(given("comments", video_ids="7", replies="0").stages) == 1


@pytest.mark.parametrize("value", ["yes", "2", "True", "01"])
def test_replies_are_switched_by_0_and_1(value):
    line = refusal("comments", video_ids="7", replies=value)

    assert line == f"-a replies={value}: allowed are 0 and 1"


def test_a_least_comment_count_leaves_out_videos_with_fewer(query):
    (of_tag,) = given("comments", from_tag="cats", min_comment_count="5").stages
    (of_query,) = given("comments", from_query=str(query), min_comment_count="5").stages

    assert (of_tag.source.min_comment_count, of_query.source.min_comment_count) == (5, 5)


@pytest.mark.parametrize(
    ("written", "tags"), [("a", ("a",)), ("b, a,b", ("b", "a")), ("ä b", ("ä b",))]
)
def test_tags_come_in_their_order_without_blanks_and_repeats(written, tags):
    assert given("users", usernames="ada", tags=written).tags == tags


def test_tags_can_stand_in_a_file(tmp_path):
    path = tmp_path / "tags.txt"
    path.write_text("# mine\none\n#two\none\n")

    assert given("users", usernames="ada", tags=f"@{path}").tags == ("one", "#two")
    assert "No such file" in refusal("users", usernames="ada", tags="@none.txt")


@pytest.mark.parametrize("written", [",", "a,,b", "a,", "x" * 101, "a\tb"])
def test_tags_that_are_empty_unprintable_or_too_long_are_refused(written):
    assert refusal("users", usernames="ada", tags=written).startswith("-a tags: ")


@pytest.mark.parametrize("written", ["x" * 101, "a\0b"])
def test_a_tag_to_look_for_is_one_that_there_can_be(written):
    assert refusal("users", from_tag=written).startswith("-a from_tag: ")


@pytest.mark.parametrize("name", ["usernames", "tags", "max_age", "max_requests", "from_tag"])
@pytest.mark.parametrize("value", ["", "  "])
def test_an_argument_without_a_value_is_refused(name, value):
    arguments = {"usernames": "ada"} | {name: value}

    assert refusal("users", **arguments) == f"-a {name}=: the value is empty"


def test_a_run_can_be_limited_in_its_requests():
    assert given("users", usernames="ada", max_requests="100").max_requests == 100


@pytest.mark.parametrize("spider", SPIDERS)
def test_scrapyds_name_for_the_run_is_accepted_by_every_spider(spider):
    seeds = {SPIDERS[spider].seed_key.argument: "123"}

    assert read(SPIDERS[spider], seeds | {"_job": "26c5"}, today=TODAY)
