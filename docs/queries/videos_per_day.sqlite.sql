-- Videos per day
--
-- How many of a query's videos were published on each day (UTC), and by how many accounts.
--
-- Mind: a day without videos is not in the list, whether there are none or it was not searched: see
-- Coverage. Videos that were deleted or hidden before they could be found are not counted, and
-- fresh days still grow.
SELECT date(create_time) AS day, count(*) AS videos, count(DISTINCT username) AS accounts
FROM video
JOIN videos_to_queries ON videos_to_queries.video_id = video.id
WHERE query_id = 1 AND create_time IS NOT NULL
GROUP BY day
ORDER BY day;
