-- What vanished
--
-- Which videos an earlier search of a query found, and a later complete search of it and of their
-- day (UTC) did not: when they were last seen by any query, and when they were first missed.
--
-- Mind: deleted, hidden and made private look alike. A video is also missed when it no longer
-- matches the query (fewer views than asked for, another handle, an edited text), or when the API
-- leaves it out for once. Videos that came back are not listed. Searches that are suspicious do not
-- count, nor those that brought less than a quarter of what another one of the day brought (12 or more).
WITH searched_day (query_id, day, searched_at, videos) AS (
    SELECT query_id, day, searched_at, window_day.videos
    FROM crawl_window
    JOIN window_day ON crawl_window_id = crawl_window.id AND day BETWEEN start_date AND end_date
    WHERE query_id = 1 AND state = 'complete' AND NOT suspicious
),
sighting AS (
    SELECT video_id, query_id,
           max(max(crawl_started_at)) OVER (PARTITION BY video_id) AS last_seen_at
    FROM videos_to_crawls
    JOIN crawl ON crawl.id = videos_to_crawls.crawl_id
    GROUP BY video_id, query_id
)
SELECT video.id, video.username, last_seen_at, min(searched_at) AS missed_at
FROM sighting
JOIN video ON video.id = sighting.video_id
JOIN searched_day ON searched_day.query_id = sighting.query_id
    AND searched_day.day = date(create_time AT TIME ZONE 'UTC')
    AND searched_at > last_seen_at
WHERE NOT EXISTS (
    SELECT 1 FROM searched_day AS other
    WHERE other.day = searched_day.day AND other.videos >= 12
        AND other.videos > 4 * searched_day.videos
)
GROUP BY video.id, video.username, last_seen_at
ORDER BY missed_at, video.id;
