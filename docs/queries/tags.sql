-- What a tag holds
--
-- For every tag, how many videos were collected with it, of how many accounts, published from when
-- to when, and on how many pages of the API.
--
-- Mind: a video can have several tags, and a tag the videos of several queries. A run gives its
-- tags to the videos of its days, also to those that earlier runs of the same query stored. What
-- it collects beyond, as it ends a window that another run began, has the tags of the runs that
-- asked for those days. A tag is never taken away.
SELECT query_tag.name AS tag, count(video.id) AS videos, count(DISTINCT video.username) AS accounts,
       min(video.create_time) AS first_published, max(video.create_time) AS last_published,
       (SELECT count(*) FROM crawls_to_query_tags WHERE query_tag_id = query_tag.id) AS pages
FROM query_tag
LEFT JOIN videos_to_query_tags ON videos_to_query_tags.query_tag_id = query_tag.id
LEFT JOIN video ON video.id = videos_to_query_tags.video_id
GROUP BY query_tag.id, query_tag.name
ORDER BY query_tag.name;
