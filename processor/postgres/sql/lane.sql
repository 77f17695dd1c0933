-- name: take
-- Takes a lane over, unless another layout followed: whoever had it is fenced from now on. An unclean take-over without
-- progress since the last counts; so does one against the event that its last owner had marked, and not applied.
WITH left_behind AS (
    SELECT owner AS last_owner, suspect_partition AS marked_partition, suspect_offset AS marked_offset
    FROM lanes WHERE layout = $1 AND lane = $2 AND retired_at IS NULL
    FOR UPDATE
), died AS (
    INSERT INTO suspects AS s (layout, lane, event_partition, event_offset)
    SELECT $1, $2, marked_partition, marked_offset FROM left_behind
    WHERE last_owner IS NOT NULL AND marked_offset IS NOT NULL
    ON CONFLICT ON CONSTRAINT suspects_pkey DO UPDATE SET deaths = s.deaths + 1, last_at = now()
)
UPDATE lanes
SET epoch = epoch + 1,
    owner = $3,
    suspect_takeovers = CASE
        WHEN taken_offsets IS DISTINCT FROM next_offsets THEN 0
        WHEN owner IS NOT NULL THEN suspect_takeovers + 1
        ELSE suspect_takeovers
    END,
    taken_offsets = next_offsets,
    suspect_partition = NULL,
    suspect_offset = NULL,
    updated_at = now()
FROM left_behind
WHERE layout = $1 AND lane = $2 AND retired_at IS NULL
RETURNING layout, lane, epoch, applied_seq, published_seq, partitions, next_offsets, stopped_reason,
    bootstrapped_at IS NULL AS fresh, suspect_takeovers, witness_seq;

-- name: suspects
-- Events of the lane over which workers died; those that it is past are forgotten.
WITH reached AS (
    SELECT unnest(partitions) AS event_partition, unnest(next_offsets) AS next_offset
    FROM lanes WHERE layout = $1 AND lane = $2
), forgotten AS (
    DELETE FROM suspects s USING reached r
    WHERE s.layout = $1 AND s.lane = $2 AND r.event_partition = s.event_partition AND s.event_offset < r.next_offset
)
SELECT s.event_partition, s.event_offset, s.deaths
FROM suspects s
JOIN reached r ON r.event_partition = s.event_partition AND s.event_offset >= r.next_offset
WHERE s.layout = $1 AND s.lane = $2;

-- name: end_frozen
-- Ends our own sessions that for longer than $1 seconds have been waiting for their client in the middle of a statement: a
-- worker that froze within a COPY. Postgres listens to no time limit there, so it would hold its lane for ever.
SELECT pid, pg_terminate_backend(pid) AS ended
FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
    AND state = 'active' AND wait_event IN ('ClientRead', 'ClientWrite')
    AND query_start < clock_timestamp() - make_interval(secs => $1);

-- name: confirm
-- The lane's row, once whatever transaction holds it has ended.
SELECT layout, lane, epoch, applied_seq, published_seq, partitions, next_offsets, stopped_reason,
    bootstrapped_at IS NULL AS fresh, suspect_takeovers, witness_seq
FROM lanes
WHERE layout = $1 AND lane = $2
FOR UPDATE;

-- name: seal_of
-- The digest of a batch's seal.
SELECT seal FROM seals WHERE layout = $1 AND lane = $2 AND seq = $3;

-- name: release
-- Leaves a lane in good order.
UPDATE lanes SET owner = NULL, updated_at = now() WHERE layout = $1 AND lane = $2 AND epoch = $3;

-- name: bootstrap
-- The first offsets of a lane that has never run.
UPDATE lanes
SET partitions = $4, next_offsets = $5, bootstrapped_at = now(), updated_at = now()
WHERE layout = $1 AND lane = $2 AND epoch = $3 AND bootstrapped_at IS NULL;

-- name: mark_suspect
-- Notes the single event that is about to be decoded.
UPDATE lanes
SET suspect_partition = $4, suspect_offset = $5, updated_at = now()
WHERE layout = $1 AND lane = $2 AND epoch = $3
RETURNING epoch;

-- name: stop
-- Stores that the lane stopped itself, and why.
UPDATE lanes
SET stopped_reason = $4, updated_at = now()
WHERE layout = $1 AND lane = $2 AND epoch = $3
RETURNING epoch;

-- name: journal_above
-- The batches that Kafka may not hold yet.
SELECT seq, payload, partitions, next_offsets
FROM journal
WHERE layout = $1 AND lane = $2 AND seq > $3
ORDER BY seq;

-- name: due_parked
-- Queues whose head is due or expired at its partition's time, oldest first.
SELECT p.player_id, head.provider, head.event_partition
FROM unnest($1::integer[], $2::timestamptz[]) AS clock (event_partition, now)
JOIN parked head
    ON head.event_partition = clock.event_partition
    AND LEAST(head.next_attempt_at, head.expires_at) <= clock.now
JOIN players p ON p.number = head.player
WHERE NOT EXISTS (
    SELECT FROM parked earlier
    WHERE earlier.shard = head.shard AND earlier.player = head.player AND earlier.provider = head.provider
        AND earlier.position < head.position
)
ORDER BY LEAST(head.next_attempt_at, head.expires_at), head.number
LIMIT $3;

-- name: requests
-- Operators' requests that wait for this lane.
SELECT r.number, r.kind, r.target, r.player_id, r.event_partition, r.actor, r.why
FROM lanes l
JOIN lane_requests r ON r.event_partition = ANY (l.partitions) AND r.done_at IS NULL
WHERE l.layout = $1 AND l.lane = $2
ORDER BY r.number
LIMIT $3;

-- name: make_partitions
-- The months of entries to come, where they are not made yet.
SELECT make_entry_partitions(3);
