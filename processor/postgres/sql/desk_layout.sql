-- name: current
-- The layout in force.
SELECT number, topic, topic_id, partitions, lanes, shards FROM layouts ORDER BY number DESC LIMIT 1;

-- name: lanes
-- How far each lane of a layout is.
SELECT lane, epoch, applied_seq, published_seq, witness_seq, partitions, next_offsets, stopped_reason
FROM lanes
WHERE layout = $1
ORDER BY lane;

-- name: bump
-- Fences whoever holds a lane of this layout: what he still commits matches no row.
UPDATE lanes SET epoch = epoch + 1, owner = NULL, updated_at = now()
WHERE layout = $1 AND retired_at IS NULL
RETURNING lane, epoch;

-- name: hold
-- The lanes of a layout as they are, held until the transaction ends: a take-over that began waits for its end.
SELECT lane, epoch, applied_seq, published_seq, witness_seq, partitions, next_offsets, stopped_reason
FROM lanes
WHERE layout = $1 AND retired_at IS NULL
ORDER BY lane
FOR UPDATE;

-- name: settle
-- Notes that Kafka holds everything that this lane applied.
UPDATE lanes SET published_seq = applied_seq, updated_at = now() WHERE layout = $1 AND lane = $2;

-- name: retire
-- Ends the lanes of a layout for good: nobody can take them any more.
UPDATE lanes
SET retired_at = now(), owner = NULL, stopped_reason = NULL, published_seq = applied_seq, updated_at = now()
WHERE layout = $1;

-- name: forget_journal
-- Forgets the journal of a layout of which Kafka holds everything.
DELETE FROM journal WHERE layout = $1;

-- name: follow_layout
-- Stores the layout that follows.
INSERT INTO layouts (number, topic, topic_id, partitions, lanes, shards) VALUES ($1, $2, $3, $4, $5, $6);

-- name: follow_lane
-- A lane of the layout that follows: it goes on where the one before has come to, as if it had always run.
INSERT INTO lanes (layout, lane, partitions, next_offsets, bootstrapped_at) VALUES ($1, $2, $3, $4, now());

-- name: accept_gap
-- Notes that a person decided to have the events of these batches decided again.
INSERT INTO accepted_gaps (layout, lane, after_seq, up_to_seq, actor, why) VALUES ($1, $2, $3, $4, $5, $6);

-- name: forget_homes
-- Partitions were multiplied: each player lives where his next event comes.
UPDATE players SET event_partition = -1 - event_partition WHERE event_partition >= 0;

-- name: waiting
-- What must not be there while partitions are multiplied: parked events, and requests that no lane has carried out.
SELECT (SELECT count(*) FROM parked) AS parked,
    (SELECT count(*) FROM lane_requests WHERE done_at IS NULL) AS requests;
