-- Top accounts
--
-- Which accounts published most of the collected videos, and how often these were viewed.
--
-- Mind: the API has no id of an account, only its handle. Handles change: who has changed theirs
-- may stand here twice, and a handle can pass to somebody else. Views are the latest that are
-- known.
SELECT username, count(*) AS videos, sum(view_count) AS views
FROM video
WHERE username IS NOT NULL
GROUP BY username
ORDER BY videos DESC, username
LIMIT 20;
