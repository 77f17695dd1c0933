-- name: player
-- One player, by the id that senders use.
SELECT number, player_id, event_partition, opened_at, sequence, parked, blocked FROM players WHERE player_id = $1;

-- name: balances
-- A player's pools, in the order in which the currencies were opened.
SELECT a.currency, a.pool, a.balance, a.version
FROM accounts a
WHERE a.player = $1 AND a.shard = (SELECT shard FROM players WHERE number = $1)
ORDER BY a.opened_order, a.currency, a.pool;

-- name: history
-- A page of a player's decisions, newest first, below a sequence.
SELECT o.sequence, o.decided_at, o.type, o.provider, o.transaction_id, o.wallet_transaction_id, o.code, o.kind,
    o.currency, o.game_id, o.round_id, o.session_id, o.reference, o.moved_minor, o.moved_currency, o.split,
    o.event_partition, o.event_offset, o.revision
FROM outcomes o
WHERE o.player = $1
    AND o.sequence < COALESCE($2, 9223372036854775807)
    AND ($3::text IS NULL OR o.provider = $3)
    AND ($4::text IS NULL OR o.type = $4)
    AND ($5::text IS NULL OR o.code = $5)
    AND ($6::text IS NULL OR o.round_id = $6)
    AND ($7::text IS NULL OR o.session_id = $7)
    AND ($8::timestamptz IS NULL OR o.decided_at >= $8)
    AND ($9::timestamptz IS NULL OR o.decided_at < $9)
ORDER BY o.sequence DESC
LIMIT $10;

-- name: legs
-- The entries of these decisions of a player, in the order of their legs.
SELECT e.sequence, e.leg, e.debit, e.credit, e.amount_minor, e.currency
FROM entries e
WHERE e.player = $1 AND e.sequence = ANY ($2::bigint[])
ORDER BY e.sequence, e.leg;
