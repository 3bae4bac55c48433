-- Top accounts
--
-- Which accounts published most of a query's videos, and how often these were viewed.
--
-- Mind: the API has no id of an account, only its handle. Handles change: who has changed theirs
-- may stand here twice, and a handle can pass to somebody else. Views are the latest that are
-- known.
SELECT username, count(*) AS videos, sum(view_count) AS views
FROM video
JOIN videos_to_queries ON videos_to_queries.video_id = video.id
WHERE query_id = 1 AND username IS NOT NULL
GROUP BY username
ORDER BY videos DESC, username
LIMIT 20;
