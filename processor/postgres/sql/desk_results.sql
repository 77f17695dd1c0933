-- name: published
-- Up to which batch Kafka is known to hold what each lane applied, of the layouts of today's events topic.
SELECT l.layout, l.lane, l.published_seq
FROM lanes l
JOIN layouts y ON y.number = l.layout
WHERE y.topic_id = (SELECT topic_id FROM layouts ORDER BY number DESC LIMIT 1)
ORDER BY l.layout, l.lane;

-- name: layouts
-- Which events topic each layout reads: positions of another one are other positions.
SELECT number, topic_id FROM layouts ORDER BY number;

-- name: gaps
-- Batches that a person accepted as lost: the topics hold them, the books do not.
SELECT layout, lane, after_seq, up_to_seq FROM accepted_gaps ORDER BY layout, lane;

-- name: batches
-- Every batch in order: its seal, the partitions of its dead letters, and its outcomes, a row each (one without any: a
-- row with none).
SELECT s.layout, s.lane, s.seq, encode(s.seal, 'hex') AS seal, d.partitions, o.event_partition, o.event_offset, o.provider,
    o.transaction_id, o.wallet_transaction_id::text, o.player, o.sequence
FROM seals s
LEFT JOIN (
    SELECT layout, lane, seq, array_agg(event_partition) AS partitions FROM dead_letters GROUP BY layout, lane, seq
) d ON d.layout = s.layout AND d.lane = s.lane AND d.seq = s.seq
LEFT JOIN outcomes o ON o.layout = s.layout AND o.lane = s.lane AND o.seq = s.seq
ORDER BY s.layout, s.lane, s.seq;

-- name: ask_for_repair
-- Asks the lane that has the event's partition to tell a stored decision again, unless that is asked for already, and notes
-- who asked and why.
WITH target AS (
    SELECT p.player_id FROM players p
    WHERE p.number = $1
        AND NOT EXISTS (
            SELECT FROM lane_requests r
            WHERE r.kind = 'results.repair' AND r.done_at IS NULL AND r.player_id = p.player_id AND r.target = $2
        )
), noted AS (
    INSERT INTO operator_actions (actor, action, target, why, details)
    SELECT $4, 'results.repair', 'player/' || player_id, $5, 'sequence ' || $2 FROM target
)
INSERT INTO lane_requests (kind, target, player_id, event_partition, actor, why)
SELECT 'results.repair', $2, player_id, $3, $4, $5 FROM target
RETURNING number;
