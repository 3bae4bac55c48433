-- Coverage
--
-- For every day (UTC) that the runs of a query asked for, whether it is complete: `complete`;
-- `unsettled`: searched before all its videos could have appeared; `suspicious`: the API sent no data
-- at all; `parked`: postponed to a later run; `open`: begun; `missing`: never searched. Beside it, how
-- many videos came of the day, and about how many matches the API counted and did not deliver.
--
-- Mind: three days from a day's start to its being settled are `TIKTOK_SETTLE_DAYS` of 2. The last
-- complete search of a day counts, whatever fields it asked for; `scrapy status` minds the fields
-- too, and names days with suspiciously few videos.
WITH RECURSIVE wanted (query_id, day, end_date) AS (
    SELECT query_id, start_date, max(end_date)
    FROM collection WHERE query_id = 1 GROUP BY query_id, start_date
    UNION ALL
    SELECT query_id, day + 1, end_date FROM wanted WHERE day < end_date
),
search AS (
    SELECT day, crawl_window.id AS window_id, state, suspicious, searched_at, error,
           row_number() OVER (
               PARTITION BY day
               ORDER BY state <> 'complete', searched_at DESC
           ) AS place
    FROM wanted
    LEFT JOIN crawl_window ON crawl_window.query_id = wanted.query_id
        AND day BETWEEN crawl_window.start_date AND crawl_window.end_date
        AND state <> 'split'
)
SELECT search.day,
       CASE WHEN state IS NULL THEN 'missing'
            WHEN state <> 'complete' THEN state
            WHEN suspicious THEN 'suspicious'
            WHEN searched_at AT TIME ZONE 'UTC' < search.day + 3 THEN 'unsettled'
            ELSE 'complete'
       END AS coverage,
       videos, withheld, searched_at, error
FROM search
LEFT JOIN window_day ON crawl_window_id = window_id AND window_day.day = search.day
WHERE place = 1
ORDER BY search.day;
