-- name: outcomes
-- Step 7: the decisions of the batch, sorted by key, each with its place in the batch.
INSERT INTO outcomes (
    provider, key, transaction_id, player, sequence, shard, wallet_transaction_id, type, code, currency, amount_minor,
    amount_text, game_id, round_id, session_id, reference, kind, own, moved_minor, moved_currency, split, details,
    event_partition, event_offset, position, layout, lane, seq, revision, decided_at
)
SELECT o.provider, o.key, o.transaction_id, o.player, o.sequence, o.shard, o.wallet_transaction_id, o.type, o.code,
    o.currency, o.amount_minor::numeric, o.amount_text, o.game_id, o.round_id, o.session_id, o.reference, o.kind, o.own,
    o.moved_minor::numeric, o.moved_currency, o.split, o.details, o.event_partition, o.event_offset, o.position,
    $26, $27, $28, $29, $30
FROM unnest(
    cells($1), cells($2), cells($3), cells($4)::bigint[], cells($5)::bigint[], cells($6)::smallint[], cells($7)::uuid[], cells($8), cells($9),
    cells($10), cells($11), cells($12), cells($13), cells($14), cells($15), cells($16), cells($17),
    cells($18), cells($19), cells($20), cells($21), cells($22), cells($23)::integer[], cells($24)::bigint[], cells($25)::integer[]
) AS o (
    provider, key, transaction_id, player, sequence, shard, wallet_transaction_id, type, code, currency, amount_minor,
    amount_text, game_id, round_id, session_id, reference, kind, own, moved_minor, moved_currency, split, details,
    event_partition, event_offset, position
);

-- name: entries
-- Step 7: the movements of the batch.
INSERT INTO entries (
    shard, player, sequence, leg, provider, currency, amount_minor, debit, credit, debit_balance_after, debit_version,
    credit_balance_after, credit_version, decided_at
)
SELECT e.shard, e.player, e.sequence, e.leg, e.provider, e.currency, e.amount_minor::numeric, e.debit, e.credit,
    e.debit_balance_after::numeric, e.debit_version, e.credit_balance_after::numeric, e.credit_version, $14
FROM unnest(
    cells($1)::smallint[], cells($2)::bigint[], cells($3)::bigint[], cells($4)::smallint[], cells($5), cells($6), cells($7), cells($8),
    cells($9), cells($10), cells($11)::bigint[], cells($12), cells($13)::bigint[]
) AS e (
    shard, player, sequence, leg, provider, currency, amount_minor, debit, credit, debit_balance_after, debit_version,
    credit_balance_after, credit_version
);

-- name: sequences
-- Step 7: how many answers each player has had, where nothing else of the player changed.
UPDATE players p
SET sequence = u.sequence
FROM unnest(cells($1)::smallint[], cells($2), cells($3)::bigint[]) AS u (shard, player_id, sequence)
WHERE p.shard = u.shard AND p.player_id = u.player_id;

-- name: players
-- Step 7: players of whom more changed than the count of answers.
UPDATE players p
SET sequence = u.sequence,
    event_partition = u.event_partition,
    opened_at = u.opened_at,
    blocked = u.blocked,
    excluded_until = u.excluded_until,
    country = u.country,
    time_zone = u.time_zone,
    jurisdiction = u.jurisdiction,
    parked = p.parked + u.parked_change
FROM unnest(
    cells($1)::smallint[], cells($2), cells($3)::bigint[], cells($4)::integer[], cells($5)::timestamptz[], cells($6)::boolean[], cells($7)::timestamptz[],
    cells($8), cells($9), cells($10), cells($11)::integer[]
) AS u (
    shard, player_id, sequence, event_partition, opened_at, blocked, excluded_until, country, time_zone, jurisdiction,
    parked_change
)
WHERE p.shard = u.shard AND p.player_id = u.player_id;

-- name: move_player
-- What is kept of a player who is opened in another partition than his first events came in goes to its shard with him.
WITH marks AS (
    UPDATE bet_marks SET shard = $3 WHERE shard = $1 AND player = $2
)
UPDATE parked SET shard = $3 WHERE shard = $1 AND player = $2;

-- name: move_shard
-- The player's own row goes to the shard of the partition he was opened in.
UPDATE players SET shard = $2 WHERE number = $1;

-- name: balances
-- Step 7: stored accounts' new balances and versions.
UPDATE accounts a
SET balance = u.balance::numeric, version = u.version
FROM unnest(cells($1)::smallint[], cells($2)::bigint[], cells($3), cells($4)::bigint[]) AS u (shard, number, balance, version)
WHERE a.shard = u.shard AND a.number = u.number;

-- name: new_accounts
-- Step 7: accounts that were not stored yet.
INSERT INTO accounts (shard, player, currency, pool, opened_order, balance, version)
SELECT u.shard, u.player, u.currency, u.pool, u.opened_order, u.balance::numeric, u.version
FROM unnest(cells($1)::smallint[], cells($2)::bigint[], cells($3), cells($4), cells($5)::smallint[], cells($6), cells($7)::bigint[])
    AS u (shard, player, currency, pool, opened_order, balance, version);

-- name: rounds
-- Step 7: rounds as they are now, new or known.
INSERT INTO rounds AS r (
    shard, player, provider, round_id, game_id, currency, opened_at, closed_at, bets, bets_rolled_back, wins,
    staked_minor, won_minor
)
SELECT u.shard, u.player, u.provider, u.round_id, u.game_id, u.currency, u.opened_at, u.closed_at, u.bets,
    u.bets_rolled_back, u.wins, u.staked_minor::numeric, u.won_minor::numeric
FROM unnest(
    cells($1)::smallint[], cells($2)::bigint[], cells($3), cells($4), cells($5), cells($6), cells($7)::timestamptz[], cells($8)::timestamptz[],
    cells($9)::integer[], cells($10)::integer[], cells($11)::integer[], cells($12), cells($13)
) AS u (
    shard, player, provider, round_id, game_id, currency, opened_at, closed_at, bets, bets_rolled_back, wins,
    staked_minor, won_minor
)
ON CONFLICT (shard, player, provider, round_id) DO UPDATE
SET game_id = excluded.game_id, currency = excluded.currency, closed_at = excluded.closed_at, bets = excluded.bets,
    bets_rolled_back = excluded.bets_rolled_back, wins = excluded.wins, staked_minor = excluded.staked_minor,
    won_minor = excluded.won_minor;

-- name: bet_marks
-- Step 7: what has happened to bets, new or known.
INSERT INTO bet_marks AS m (shard, player, provider, key, rolled_back, wins, game_wins, won_minor, refunded_minor)
SELECT u.shard, u.player, u.provider, u.key, u.rolled_back, u.wins, u.game_wins, u.won_minor::numeric,
    u.refunded_minor::numeric
FROM unnest(
    cells($1)::smallint[], cells($2)::bigint[], cells($3), cells($4), cells($5)::boolean[], cells($6)::integer[], cells($7)::integer[], cells($8),
    cells($9)
) AS u (shard, player, provider, key, rolled_back, wins, game_wins, won_minor, refunded_minor)
ON CONFLICT (shard, player, provider, key) DO UPDATE
SET rolled_back = excluded.rolled_back, wins = excluded.wins, game_wins = excluded.game_wins,
    won_minor = excluded.won_minor, refunded_minor = excluded.refunded_minor;

-- name: sessions
-- Step 7: play sessions, new or known.
INSERT INTO sessions AS s (
    shard, player, session_id, provider, channel, currency, game_id, opened_at, expires_at, closed_at, replaced_at
)
SELECT u.shard, u.player, u.session_id, u.provider, u.channel, u.currency, u.game_id, u.opened_at, u.expires_at,
    u.closed_at, u.replaced_at
FROM unnest(
    cells($1)::smallint[], cells($2)::bigint[], cells($3), cells($4), cells($5), cells($6), cells($7), cells($8)::timestamptz[],
    cells($9)::timestamptz[], cells($10)::timestamptz[], cells($11)::timestamptz[]
) AS u (
    shard, player, session_id, provider, channel, currency, game_id, opened_at, expires_at, closed_at, replaced_at
)
ON CONFLICT (shard, player, session_id) DO UPDATE
SET provider = excluded.provider, channel = excluded.channel, currency = excluded.currency, game_id = excluded.game_id,
    opened_at = excluded.opened_at, expires_at = excluded.expires_at, closed_at = excluded.closed_at,
    replaced_at = excluded.replaced_at;

-- name: metadata
-- Step 7: what senders attached, apart from the books.
INSERT INTO metadata (shard, player, provider, key, document)
SELECT u.shard, u.player, u.provider, u.key, u.document
FROM unnest(cells($1)::smallint[], cells($2)::bigint[], cells($3), cells($4), $5::bytea[])
    AS u (shard, player, provider, key, document);

-- name: park
-- Step 7: one event kept back (rare enough to go one by one: headers are lists of their own).
INSERT INTO parked (
    shard, player, provider, position, transaction_id, event_partition, event_offset, broker_time, event_key,
    event_value, header_names, header_values, reason, awaits, attempts, parked_at, next_attempt_at, expires_at, last_error
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19);

-- name: change_parked
-- Step 7: heads that wait anew, and rows that changed places.
UPDATE parked q
SET position = u.position, reason = u.reason, awaits = u.awaits, attempts = u.attempts,
    next_attempt_at = u.next_attempt_at, expires_at = u.expires_at, last_error = u.last_error
FROM unnest(
    cells($1)::smallint[], cells($2)::bigint[], cells($3)::integer[], cells($4), cells($5), cells($6)::integer[], cells($7)::timestamptz[],
    cells($8)::timestamptz[], cells($9)
) AS u (shard, number, position, reason, awaits, attempts, next_attempt_at, expires_at, last_error)
WHERE q.shard = u.shard AND q.number = u.number;

-- name: unpark
-- Step 7: parked events that have their answer.
DELETE FROM parked q
USING unnest(cells($1)::smallint[], cells($2)::bigint[]) AS u (shard, number)
WHERE q.shard = u.shard AND q.number = u.number;

-- name: dead_letter
-- Step 7: one event set aside.
INSERT INTO dead_letters (
    letter_id, reason, detail, attempts, event_partition, event_offset, broker_time, event_key, event_value,
    header_names, header_values, provider, player_id, transaction_id, replay_count, replay_of, layout, lane, seq,
    created_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20);

-- name: requests_done
-- Step 7: operators' requests that were carried out, with what came of them.
UPDATE lane_requests r
SET done_at = $3, what_came = u.what_came
FROM unnest(cells($1)::bigint[], cells($2)) AS u (number, what_came)
WHERE r.number = u.number AND r.done_at IS NULL;

-- name: seal
-- Step 7, last: the house's accounts of this lane, the batch's seal, and the journal of what it will publish.
WITH house AS (
    INSERT INTO house_accounts AS h (provider, currency, purpose, lane, balance)
    SELECT u.provider, u.currency, u.purpose, $2, u.change::numeric
    FROM unnest(cells($12), cells($13), cells($14), cells($15)) AS u (provider, currency, purpose, change)
    ON CONFLICT (lane, provider, currency, purpose) DO UPDATE SET balance = h.balance + excluded.balance
), sealed AS (
    INSERT INTO seals (layout, lane, seq, previous, seal, outcomes, revision, decided_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
)
INSERT INTO journal (layout, lane, seq, records, payload, partitions, next_offsets)
VALUES ($1, $2, $3, $9, $10, $11::integer[], $16::bigint[]);
