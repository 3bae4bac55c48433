"""A view of the videos of each query, and all tags that runs have used.

Revision ID: 0103
Revises: 0102
"""

from __future__ import annotations

from alembic import op

revision = "0103"
down_revision = "0102"
branch_labels = None
depends_on = None

# The windows of one query lead by indexes to its pages and their videos. CROSS JOIN keeps SQLite to
# this order: most pages of a large database can be ones of listings, without a window, and then it
# would rather read all. That both know the query tells PostgreSQL how few pages it has.
VIDEOS_TO_QUERIES = """
CREATE VIEW videos_to_queries AS
SELECT videos_to_crawls.video_id, crawl_window.query_id,
       min(crawl.run_id) AS first_run_id, max(crawl.run_id) AS last_run_id
FROM crawl_window CROSS JOIN crawl CROSS JOIN videos_to_crawls
WHERE crawl.crawl_window_id = crawl_window.id AND crawl.query_id = crawl_window.query_id
    AND videos_to_crawls.crawl_id = crawl.id
GROUP BY crawl_window.query_id, videos_to_crawls.video_id
"""

ADD_TAGS = """
INSERT INTO query_tag (name)
SELECT DISTINCT tag.value FROM collection, {tags}
WHERE tag.value NOT IN (SELECT name FROM query_tag)
ORDER BY tag.value
"""

TAGS = {
    "sqlite": "json_each(collection.tags) AS tag",
    "postgresql": "jsonb_array_elements_text(collection.tags) AS tag (value)",
}
"""The tags of runs, of which some have brought nothing yet."""


def upgrade() -> None:
    op.execute(VIDEOS_TO_QUERIES)
    op.execute(ADD_TAGS.format(tags=TAGS[op.get_context().dialect.name]))


def downgrade() -> None:
    op.execute("DROP VIEW videos_to_queries")
