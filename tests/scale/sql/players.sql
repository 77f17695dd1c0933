-- The player with the longest history, and $1 others.
INSERT INTO croupier.players (number, shard, player_id, event_partition, sequence)
SELECT number, number % 8, 'p-' || number, number % 12, 0 FROM generate_series(1, $1::bigint + 1) AS number;
