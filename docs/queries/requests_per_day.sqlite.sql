-- Requests per day
--
-- What each day (UTC) of the quota was spent on: the requests of all crawls together, and for each
-- query the pages that they brought and the records on these.
--
-- Mind: requests for comments, users and so on count for the day (`api_quota_share` has them apart),
-- and so do requests that failed, but for no query; `crawl_window.requests` has these by window. A day on which the API said that the quota is used up
-- counts as the whole quota, whoever spent it: programs that do not use this database are known in
-- no other way.
SELECT quota.day, all_requests, query_id, pages, records
FROM (
    SELECT day, sum(requests) AS all_requests
    FROM api_quota
    WHERE pool = 'research'
    GROUP BY day
) AS quota
LEFT JOIN (
    SELECT date(crawl_started_at) AS day, query_id, count(*) AS pages,
           sum(record_count) AS records
    FROM crawl
    WHERE query_id IS NOT NULL
    GROUP BY 1, 2
) AS stored ON stored.day = quota.day
ORDER BY quota.day, query_id;
