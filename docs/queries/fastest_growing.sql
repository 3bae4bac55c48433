-- Fastest growing videos
--
-- Which of a query's videos gained most views in a period, between the first and the last of its
-- days (UTC) on which they were seen.
--
-- Mind: put in your own days. Videos that were seen on one day alone are left out, and others were
-- seen on different days: compare those with the same days. The handle is the latest.
SELECT video.id, video.username, first_day, last_day, last_views - first_views AS added
FROM (
    SELECT video_id, day AS last_day, view_count AS last_views,
           first_value(day) OVER earlier AS first_day,
           first_value(view_count) OVER earlier AS first_views,
           row_number() OVER (PARTITION BY video_id ORDER BY day DESC) AS place
    FROM video_statistics_daily
    WHERE day BETWEEN '2024-01-01' AND '2024-01-31' AND view_count IS NOT NULL
    WINDOW earlier AS (PARTITION BY video_id ORDER BY day)
) AS seen
JOIN video ON video.id = seen.video_id
JOIN videos_to_queries ON videos_to_queries.video_id = video.id
WHERE query_id = 1 AND place = 1 AND first_day < last_day
ORDER BY added DESC, video.id
LIMIT 20;
