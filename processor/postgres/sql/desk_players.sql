-- name: home
-- Where a player lives, and how many events of his are parked.
SELECT p.event_partition, (SELECT count(*) FROM parked q WHERE q.player = p.number) AS parked
FROM players p
WHERE p.player_id = $1;

-- name: move
-- Moves a player with everything that is kept of him; where he lived before.
SELECT move_player($1, $2, $3) AS before;
