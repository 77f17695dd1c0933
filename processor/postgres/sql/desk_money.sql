-- name: player
-- One player, by the id that senders use.
SELECT number, player_id, event_partition, opened_at, sequence, parked, blocked FROM players WHERE player_id = $1;

-- name: bonuses
-- The bonuses that a player has, as the law stores them.
SELECT bonuses FROM players WHERE number = $1;

-- name: balances
-- A player's pools, in the order in which the currencies were opened.
SELECT a.currency, a.pool, a.balance, a.version
FROM accounts a
WHERE a.player = $1 AND a.shard = (SELECT shard FROM players WHERE number = $1)
ORDER BY a.opened_order, a.currency, a.pool;
