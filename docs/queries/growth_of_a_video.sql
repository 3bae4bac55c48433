-- Growth of a video
--
-- How the views of one video grew: a row each time that one of its counters was found changed, with
-- what had been added since the row before.
--
-- Mind: put in the id of your video. The API's counts are up to ten days old and can fall. A video
-- grows only as often as it is collected again (`refresh_after`); what is no row brought nothing
-- new.
SELECT observed_at, view_count,
       view_count - lag(view_count) OVER (ORDER BY observed_at) AS added
FROM video_statistics
WHERE video_id = 7319000000000000001
ORDER BY observed_at;
