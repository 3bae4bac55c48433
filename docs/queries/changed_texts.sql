-- Texts and handles that changed
--
-- Which of a query's videos came back with another text or handle: what it was, until when, and
-- what it is now.
--
-- Mind: `old_value` is JSON, in which text stands in quotes. `until` is when the change was found,
-- not when it was made. A change is found only if the video is collected again, and a new handle
-- only if the query does not ask for the old one.
SELECT video_revision.video_id, video_revision.field, video_revision.until,
       CAST(video_revision.old_value AS text) AS old_value,
       CASE field WHEN 'username' THEN username ELSE video_description END AS value_now
FROM video_revision
JOIN video ON video.id = video_revision.video_id
JOIN videos_to_queries ON videos_to_queries.video_id = video.id
WHERE query_id = 1 AND field IN ('username', 'video_description')
ORDER BY video_revision.until, video_revision.video_id, field;
