-- name: published
-- Up to which batch Kafka is known to hold what each lane applied.
SELECT layout, lane, published_seq FROM lanes ORDER BY layout, lane;

-- name: batches
-- Every batch's seal, with how many outcomes and dead letters of it must be on the topics.
SELECT s.layout, s.lane, s.seq, encode(s.seal, 'hex') AS seal, s.outcomes + COALESCE(d.letters, 0) AS publishes
FROM seals s
LEFT JOIN (
    SELECT layout, lane, seq, count(*) AS letters FROM dead_letters GROUP BY layout, lane, seq
) d ON d.layout = s.layout AND d.lane = s.lane AND d.seq = s.seq
ORDER BY s.layout, s.lane, s.seq;

-- name: outcomes
-- Every decided transaction id with the event that it was decided for.
SELECT layout, lane, seq, event_partition, event_offset, provider, transaction_id, wallet_transaction_id
FROM outcomes;

-- name: outcomes_count
-- About how many there are, for a progress bar.
SELECT COALESCE(sum(GREATEST(c.reltuples, 0)), 0)::bigint AS about
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'outcomes'::regclass;
