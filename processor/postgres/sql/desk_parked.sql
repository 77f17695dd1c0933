-- name: list
-- A page of parked events without their bytes, in the order in which they were parked, above a number.
SELECT q.number, p.player_id, q.provider, q.position, q.transaction_id, q.event_partition, q.event_offset,
    q.broker_time, q.reason, q.awaits, q.attempts, q.parked_at, q.next_attempt_at, q.expires_at, q.last_error
FROM parked q
JOIN players p ON p.number = q.player
WHERE q.number > $1
    AND ($2::text IS NULL OR p.player_id = $2)
    AND ($3::text IS NULL OR q.provider = $3)
    AND ($4::text IS NULL OR q.reason = $4)
ORDER BY q.number
LIMIT $5;

-- name: counts
-- How many events are parked, by reason.
SELECT q.reason, count(*) AS events
FROM parked q
JOIN players p ON p.number = q.player
WHERE ($1::text IS NULL OR p.player_id = $1)
    AND ($2::text IS NULL OR q.provider = $2)
    AND ($3::text IS NULL OR q.reason = $3)
GROUP BY q.reason
ORDER BY q.reason;

-- name: one
-- One parked event with its bytes.
SELECT q.number, p.player_id, q.provider, q.position, q.transaction_id, q.event_partition, q.event_offset,
    q.broker_time, q.reason, q.awaits, q.attempts, q.parked_at, q.next_attempt_at, q.expires_at, q.last_error,
    q.event_key, q.event_value, q.header_names, q.header_values
FROM parked q
JOIN players p ON p.number = q.player
WHERE q.number = $1;

-- name: request
-- Asks the lane that has the event to do something with it, and notes who asked and why.
WITH target AS (
    SELECT q.number, p.player_id, q.event_partition FROM parked q JOIN players p ON p.number = q.player
    WHERE q.number = $1
), noted AS (
    INSERT INTO operator_actions (actor, action, target, why)
    SELECT $3, $2, 'parked/' || number, $4 FROM target
)
INSERT INTO lane_requests (kind, target, player_id, event_partition, actor, why)
SELECT $2, number, player_id, event_partition, $3, $4 FROM target
RETURNING number;

-- name: request_state
-- Whether a request was carried out, and what came of it.
SELECT done_at, what_came FROM lane_requests WHERE number = $1;

-- name: requests_of
-- What operators have asked about a parked event.
SELECT number, kind, actor, why, created_at, done_at, what_came FROM lane_requests
WHERE target = $1 AND kind LIKE 'parked.%'
ORDER BY number;
