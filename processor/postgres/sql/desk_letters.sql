-- name: list
-- A page of dead letters without their bytes, newest first, below a key.
SELECT letter_id, status, reason, detail, attempts, event_partition, event_offset, broker_time, provider, player_id,
    transaction_id, replay_count, replay_of, layout, lane, seq, created_at, status_changed_at,
    octet_length(event_value) AS size
FROM dead_letters
WHERE ($1::text IS NULL OR status = $1)
    AND ($2::text IS NULL OR reason = $2)
    AND ($3::text IS NULL OR provider = $3)
    AND ($4::text IS NULL OR player_id = $4)
    AND ($5::timestamptz IS NULL OR created_at >= $5)
    AND ($6::timestamptz IS NULL OR created_at < $6)
    AND ($7::integer IS NULL OR event_partition = $7)
    AND ($8::bigint IS NULL OR event_offset >= $8)
    AND ($9::bigint IS NULL OR event_offset <= $9)
    AND ($10::timestamptz IS NULL OR (created_at, letter_id) < ($10, $11::text))
ORDER BY created_at DESC, letter_id DESC
LIMIT $12;

-- name: counts
-- How many dead letters there are, by status and reason.
SELECT status, reason, count(*) AS letters
FROM dead_letters
WHERE ($1::text IS NULL OR status = $1)
    AND ($2::text IS NULL OR reason = $2)
    AND ($3::text IS NULL OR provider = $3)
    AND ($4::text IS NULL OR player_id = $4)
    AND ($5::timestamptz IS NULL OR created_at >= $5)
    AND ($6::timestamptz IS NULL OR created_at < $6)
    AND ($7::integer IS NULL OR event_partition = $7)
    AND ($8::bigint IS NULL OR event_offset >= $8)
    AND ($9::bigint IS NULL OR event_offset <= $9)
GROUP BY status, reason
ORDER BY status, letters DESC, reason;

-- name: originals
-- A page of dead letters with their bytes, in the order in which their events came, above a place.
SELECT letter_id, status, reason, detail, attempts, event_partition, event_offset, broker_time, provider, player_id,
    transaction_id, replay_count, replay_of, layout, lane, seq, created_at, status_changed_at,
    octet_length(event_value) AS size, event_key, event_value, header_names, header_values
FROM dead_letters
WHERE ($1::text IS NULL OR status = $1)
    AND ($2::text IS NULL OR reason = $2)
    AND ($3::text IS NULL OR provider = $3)
    AND ($4::text IS NULL OR player_id = $4)
    AND ($5::timestamptz IS NULL OR created_at >= $5)
    AND ($6::timestamptz IS NULL OR created_at < $6)
    AND ($7::integer IS NULL OR event_partition = $7)
    AND ($8::bigint IS NULL OR event_offset >= $8)
    AND ($9::bigint IS NULL OR event_offset <= $9)
    AND (event_partition, event_offset, letter_id) > ($10::integer, $11::bigint, $12::text)
ORDER BY event_partition, event_offset, letter_id
LIMIT $13;

-- name: letter
-- One dead letter with its bytes.
SELECT letter_id, status, reason, detail, attempts, event_partition, event_offset, broker_time, provider, player_id,
    transaction_id, replay_count, replay_of, layout, lane, seq, created_at, status_changed_at,
    octet_length(event_value) AS size, event_key, event_value, header_names, header_values
FROM dead_letters
WHERE letter_id = $1;

-- name: successors
-- The letters that replays of this one became again.
SELECT letter_id, status, reason, created_at FROM dead_letters WHERE replay_of = $1 ORDER BY created_at, letter_id;

-- name: move
-- Moves a letter from the status it was seen in, and notes who did it and why; no row where somebody was first.
WITH moved AS (
    UPDATE dead_letters
    SET status = $3, status_changed_at = clock_timestamp()
    WHERE letter_id = $1
        AND status = $2
        AND ($8::timestamptz IS NULL OR status_changed_at < $8)
    RETURNING letter_id
)
INSERT INTO operator_actions (actor, action, target, why, details)
SELECT $4, $5, 'dead-letter/' || letter_id, $6, $7 FROM moved
RETURNING number;

-- name: put_back
-- Puts an exported letter into the work list, unless one of this id is there, and notes who did it and why. It belongs to
-- no batch of this database (layout 0); one that was being sent again when it was exported is open.
WITH put AS (
    INSERT INTO dead_letters (
        letter_id, status, reason, detail, attempts, event_partition, event_offset, broker_time, event_key, event_value,
        header_names, header_values, provider, player_id, transaction_id, replay_count, replay_of, layout, lane, seq,
        created_at, status_changed_at
    )
    VALUES ($1, CASE $2::text WHEN 'resending' THEN 'open' ELSE $2::text END, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
        $13, $14, $15, $16, $17, 0, 0, 0, $18, $19)
    ON CONFLICT (letter_id) DO NOTHING
    RETURNING letter_id
)
INSERT INTO operator_actions (actor, action, target, why, details)
SELECT $20, $21, 'dead-letter/' || letter_id, $22, $23 FROM put
RETURNING number;
