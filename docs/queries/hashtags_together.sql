-- Hashtags that come together
--
-- Which two hashtags stand most often on the same video of a query.
--
-- Mind: hashtags of the query's own conditions come first by design. Capitals count: `Butter` is
-- not `butter`. A video has the hashtags of its last observation; earlier ones are in `video_revision`.
SELECT one.name AS hashtag, other.name AS other_hashtag, count(*) AS videos
FROM videos_to_queries
JOIN videos_to_hashtags AS first ON first.video_id = videos_to_queries.video_id
JOIN videos_to_hashtags AS second ON second.video_id = first.video_id
JOIN hashtag AS one ON one.id = first.hashtag_id
JOIN hashtag AS other ON other.id = second.hashtag_id
WHERE query_id = 1 AND one.name < other.name
GROUP BY one.name, other.name
ORDER BY videos DESC, one.name, other.name
LIMIT 50;
