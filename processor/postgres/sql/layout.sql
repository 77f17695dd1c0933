-- name: current
-- The layout in force.
SELECT number, topic, topic_id, partitions, lanes, shards FROM layouts ORDER BY number DESC LIMIT 1;

-- name: create_first
-- The first layout with its lanes; nothing where there is one already, or somebody is just storing one.
WITH stored AS (
    INSERT INTO layouts (number, topic, topic_id, partitions, lanes, shards)
    SELECT $1, $2, $3, $4, $5, $6
    WHERE NOT EXISTS (SELECT FROM layouts)
    ON CONFLICT (number) DO NOTHING
    RETURNING number, lanes
)
INSERT INTO lanes (layout, lane)
SELECT stored.number, lane FROM stored, generate_series(0, stored.lanes - 1) AS lane;
