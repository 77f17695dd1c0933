-- name: list
-- Every lane of the current layout: who holds it, how far it is, what the journal still holds.
SELECT l.layout, l.lane, l.epoch, l.owner, l.applied_seq, l.published_seq, l.partitions, l.next_offsets,
    l.stopped_reason, l.suspect_takeovers, s.event_partition, s.event_offset, s.deaths, l.updated_at,
    (SELECT count(*) FROM journal j WHERE j.layout = l.layout AND j.lane = l.lane) AS journal_batches
FROM lanes l
LEFT JOIN LATERAL (
    SELECT w.event_partition, w.event_offset, w.deaths
    FROM suspects w
    WHERE w.layout = l.layout AND w.lane = l.lane
        AND w.event_offset >= l.next_offsets[array_position(l.partitions, w.event_partition)]
    ORDER BY w.deaths DESC, w.event_partition
    LIMIT 1
) s ON true
WHERE l.layout = (SELECT max(number) FROM layouts)
ORDER BY l.lane;

-- name: resume
-- Lets a lane that stopped go on at its next take-over, and notes who did it and why.
WITH resumed AS (
    UPDATE lanes SET stopped_reason = NULL, updated_at = now()
    WHERE layout = (SELECT max(number) FROM layouts) AND lane = $1 AND stopped_reason IS NOT NULL
    RETURNING layout, lane
), was AS (
    SELECT l.stopped_reason FROM lanes l JOIN resumed r ON r.layout = l.layout AND r.lane = l.lane
)
INSERT INTO operator_actions (actor, action, target, why, details)
SELECT $2, 'lanes.resume', 'lane/' || r.layout || '/' || r.lane, $3, w.stopped_reason FROM resumed r, was w
RETURNING number;

-- name: journal
-- What the journal of a lane holds, without the bytes.
SELECT seq, records, octet_length(payload) AS bytes, next_offsets
FROM journal
WHERE layout = $1 AND lane = $2
ORDER BY seq;

-- name: set_receipt
-- A person says which batch of a stopped lane Kafka holds: the journal forgets it and what is before, whoever had the lane
-- is fenced, the topics are not asked for more, and the lane goes on at its next take-over.
WITH said AS (
    UPDATE lanes
    SET published_seq = $3, witness_seq = 0, epoch = epoch + 1, stopped_reason = NULL, updated_at = now()
    WHERE layout = $1 AND lane = $2 AND retired_at IS NULL
        AND stopped_reason LIKE 'ReceiptUnknown:%'
        AND $3 BETWEEN published_seq AND applied_seq
    RETURNING layout, lane, applied_seq
), cleared AS (
    DELETE FROM journal j USING said s WHERE j.layout = s.layout AND j.lane = s.lane AND j.seq <= $3
)
INSERT INTO operator_actions (actor, action, target, why, details)
SELECT $4, 'lanes.set-receipt', 'lane/' || layout || '/' || lane, $5, 'Kafka holds batch ' || $3 || ' of ' || applied_seq
FROM said
RETURNING number;
