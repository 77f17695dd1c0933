-- name: fence
-- Step 4: moves the lane's row by one batch if it is as remembered, and forgets the journal that Kafka holds (step 11),
-- remembering which of it was the last to put a record on the topics.
WITH cleared AS (
    DELETE FROM journal j
    USING lanes l
    WHERE l.layout = $1 AND l.lane = $2
        AND j.layout = $1 AND j.lane = $2 AND j.seq > l.published_seq AND j.seq <= $8
    RETURNING j.seq, j.records
)
UPDATE lanes
SET applied_seq = applied_seq + 1,
    published_seq = GREATEST(published_seq, $8),
    witness_seq = GREATEST(witness_seq, (SELECT max(seq) FROM cleared WHERE records > 0)),
    partitions = $6,
    next_offsets = $7,
    suspect_partition = NULL,
    suspect_offset = NULL,
    updated_at = now()
WHERE layout = $1 AND lane = $2 AND epoch = $3 AND applied_seq = $4 AND next_offsets = $5
RETURNING epoch;

-- name: lane_as_it_is
-- What the fence met instead of what the lane remembers.
SELECT epoch, applied_seq, partitions, next_offsets FROM lanes WHERE layout = $1 AND lane = $2;

-- From here on each look-up is a lateral one behind OFFSET 0, which the planner cannot turn round: with statistics from
-- when a table was empty it took the table first and our names second, and read all of it in every batch (measured).

-- name: players
-- Step 5: the players of the batch with their accounts, in the order in which their currencies were opened. No lock of
-- their own: a player who lives in one of the lane's partitions is changed by the holder of the lane's row alone.
SELECT p.number, p.shard, p.player_id, p.event_partition, p.sequence, p.parked, p.blocked, p.excluded_until, p.country,
    p.time_zone, p.jurisdiction, p.tombstones, p.limits, p.bonuses, a.number, a.currency, a.pool, a.balance::text, a.version, a.usage
FROM unnest(cells($1)::smallint[], cells($2)) AS wanted (shard, player_id)
CROSS JOIN LATERAL (
    SELECT * FROM players f WHERE f.shard = wanted.shard AND f.player_id = wanted.player_id OFFSET 0
) AS p
LEFT JOIN LATERAL (
    SELECT * FROM accounts f WHERE f.shard = p.shard AND f.player = p.number ORDER BY f.opened_order OFFSET 0
) AS a ON true;

-- name: create_players
-- Players never seen before; whoever comes second finds the first one's row.
INSERT INTO players (shard, player_id)
SELECT wanted.shard, wanted.player_id
FROM unnest(cells($1)::smallint[], cells($2)) AS wanted (shard, player_id)
ORDER BY wanted.player_id
ON CONFLICT (player_id) DO NOTHING;

-- name: lock_players
-- Locks players that other lanes may change too, in the order of their ids: those whom nobody has opened, and those who
-- live in a partition of another lane.
SELECT p.number, p.shard, p.player_id, p.event_partition, p.sequence, p.parked, p.blocked, p.excluded_until, p.country,
    p.time_zone, p.jurisdiction, p.tombstones, p.limits, p.bonuses
FROM unnest(cells($1)) AS wanted (player_id)
JOIN players p ON p.player_id = wanted.player_id
ORDER BY p.player_id
FOR UPDATE OF p;

-- name: accounts
-- The accounts of players just locked, in the order in which their currencies were opened.
SELECT a.player, a.number, a.currency, a.pool, a.balance::text, a.version, a.usage
FROM unnest(cells($1)::smallint[], cells($2)::bigint[]) AS wanted (shard, player)
CROSS JOIN LATERAL (
    SELECT * FROM accounts f WHERE f.shard = wanted.shard AND f.player = wanted.player OFFSET 0
) AS a
ORDER BY a.opened_order;

-- name: queues
-- The parked events of locked players that have any.
SELECT q.player, q.number, q.provider, q.position, q.transaction_id, q.event_partition, q.event_offset, q.broker_time,
    q.event_key, q.event_value, q.header_names, q.header_values, q.reason, q.awaits, q.attempts, q.parked_at,
    q.next_attempt_at, q.expires_at, q.last_error
FROM unnest(cells($1)::smallint[], cells($2)::bigint[]) AS wanted (shard, player)
CROSS JOIN LATERAL (
    SELECT * FROM parked f WHERE f.shard = wanted.shard AND f.player = wanted.player OFFSET 0
) AS q
ORDER BY q.position;

-- name: known_outcomes
-- The decisions stored under these keys: the only hot statement without a shard, for an id is unique everywhere.
SELECT o.provider, o.key, o.transaction_id, o.player, o.type, o.code, o.wallet_transaction_id::text, o.currency,
    o.amount_minor::text, o.amount_text, o.game_id, o.round_id, o.session_id, o.reference, o.kind, o.own,
    o.moved_minor::text, o.moved_currency, o.split, o.details, o.sequence, o.event_partition, o.event_offset,
    o.decided_at, o.broker_time
FROM unnest(cells($1), cells($2)) AS wanted (provider, key)
CROSS JOIN LATERAL (
    SELECT * FROM outcomes f WHERE f.provider = wanted.provider AND f.key = wanted.key OFFSET 0
) AS o;

-- name: bet_marks
-- What has happened to these bets.
SELECT m.player, m.provider, m.key, m.rolled_back, m.wins, m.game_wins, m.won_minor::text, m.refunded_minor::text,
    m.paid_otherwise
FROM unnest(cells($1)::smallint[], cells($2)::bigint[], cells($3), cells($4)) AS wanted (shard, player, provider, key)
CROSS JOIN LATERAL (
    SELECT *
    FROM bet_marks f
    WHERE f.shard = wanted.shard AND f.player = wanted.player AND f.provider = wanted.provider AND f.key = wanted.key
    OFFSET 0
) AS m;

-- name: rounds
-- These rounds of play.
SELECT r.player, r.provider, r.round_id, r.game_id, r.currency, r.opened_at, r.closed_at, r.bets, r.bets_rolled_back,
    r.wins, r.staked_minor::text, r.won_minor::text, r.also
FROM unnest(cells($1)::smallint[], cells($2)::bigint[], cells($3), cells($4)) AS wanted (shard, player, provider, round_id)
CROSS JOIN LATERAL (
    SELECT *
    FROM rounds f
    WHERE f.shard = wanted.shard AND f.player = wanted.player AND f.provider = wanted.provider
        AND f.round_id = wanted.round_id
    OFFSET 0
) AS r;

-- name: sessions
-- Whether these sessions are good for a stake.
SELECT s.player, s.session_id, s.currency, s.opened_at, s.expires_at, s.closed_at, s.replaced_at
FROM unnest(cells($1)::smallint[], cells($2)::bigint[], cells($3)) AS wanted (shard, player, session_id)
CROSS JOIN LATERAL (
    SELECT *
    FROM sessions f
    WHERE f.shard = wanted.shard AND f.player = wanted.player AND f.session_id = wanted.session_id
    OFFSET 0
) AS s;

-- name: whole_sessions
-- These sessions, which may be changed.
SELECT s.player, s.session_id, s.provider, s.channel, s.currency, s.game_id, s.opened_at, s.expires_at, s.closed_at,
    s.replaced_at
FROM unnest(cells($1)::smallint[], cells($2)::bigint[], cells($3)) AS wanted (shard, player, session_id)
CROSS JOIN LATERAL (
    SELECT *
    FROM sessions f
    WHERE f.shard = wanted.shard AND f.player = wanted.player AND f.session_id = wanted.session_id
    OFFSET 0
) AS s;

-- name: open_sessions
-- All open sessions of these players.
SELECT s.player, s.session_id, s.provider, s.channel, s.currency, s.game_id, s.opened_at, s.expires_at, s.closed_at,
    s.replaced_at
FROM unnest(cells($1)::smallint[], cells($2)::bigint[]) AS wanted (shard, player)
CROSS JOIN LATERAL (
    SELECT *
    FROM sessions f
    WHERE f.shard = wanted.shard AND f.player = wanted.player AND f.closed_at IS NULL AND f.replaced_at IS NULL
    OFFSET 0
) AS s;

-- name: repairs
-- Decisions that are to be told again, by player and sequence, as `known_outcomes` gives them, with their batch and how many
-- ids were decided together.
SELECT o.provider, o.key, o.transaction_id, o.player, o.type, o.code, o.wallet_transaction_id::text, o.currency,
    o.amount_minor::text, o.amount_text, o.game_id, o.round_id, o.session_id, o.reference, o.kind, o.own,
    o.moved_minor::text, o.moved_currency, o.split, o.details, o.sequence, o.event_partition, o.event_offset,
    o.decided_at, o.broker_time, o.layout || '/' || o.lane || '/' || o.seq AS batch
FROM unnest(cells($1)::bigint[], cells($2)::bigint[]) AS wanted (player, sequence)
CROSS JOIN LATERAL (
    SELECT * FROM outcomes f WHERE f.player = wanted.player AND f.sequence = wanted.sequence OFFSET 0
) AS o;

-- name: pools_after
-- What the pools of a player held after his decision of that sequence: as the last entry of each until then left it.
SELECT wanted.player, wanted.sequence, a.currency, a.pool, COALESCE(e.after, 0)::text AS balance
FROM unnest(cells($1)::bigint[], cells($2)::bigint[]) AS wanted (player, sequence)
JOIN players p ON p.number = wanted.player
JOIN accounts a ON a.shard = p.shard AND a.player = p.number
LEFT JOIN LATERAL (
    SELECT CASE WHEN f.debit = a.pool THEN f.debit_balance_after ELSE f.credit_balance_after END AS after
    FROM entries f
    WHERE f.player = wanted.player AND f.sequence <= wanted.sequence AND f.currency = a.currency
        AND a.pool IN (f.debit, f.credit)
    ORDER BY f.sequence DESC, f.leg DESC
    LIMIT 1
) AS e ON true;
