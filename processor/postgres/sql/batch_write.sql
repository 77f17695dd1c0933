-- name: players
-- Step 7: players of whom more changed than the count of answers. What the opening fixed is not set again.
UPDATE players p
SET sequence = u.sequence,
    event_partition = u.event_partition,
    opened_at = COALESCE(p.opened_at, u.opened_at),
    blocked = u.blocked,
    excluded_until = u.excluded_until,
    country = u.country,
    time_zone = u.time_zone,
    jurisdiction = u.jurisdiction,
    tombstones = u.tombstones,
    limits = u.limits,
    bonuses = u.bonuses,
    parked = p.parked + u.parked_change
FROM unnest(
    cells($1)::smallint[], cells($2), cells($3)::bigint[], cells($4)::integer[], cells($5)::timestamptz[],
    cells($6)::boolean[], cells($7)::timestamptz[], cells($8), cells($9), cells($10), cells($11)::integer[],
    cells($12), cells($13), cells($14)::integer[]
) AS u (
    shard, player_id, sequence, event_partition, opened_at, blocked, excluded_until, country, time_zone, jurisdiction,
    tombstones, limits, bonuses, parked_change
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

-- name: new_accounts
-- Step 7: accounts that were not stored yet.
INSERT INTO accounts (shard, player, currency, pool, opened_order, balance, version, usage)
SELECT u.*
FROM unnest(
    cells($1)::smallint[], cells($2)::bigint[], cells($3), cells($4), cells($5)::smallint[], cells($6)::numeric[],
    cells($7)::bigint[], cells($8)
) AS u;

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
-- Step 7: one event kept back (each a statement of its own, all sent together: headers are lists themselves).
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
-- Step 7: one event set aside (sent like those that are kept back).
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
WHERE r.number = u.number;

-- name: record
-- Step 7, last, and always: how many answers each player has had, balances, versions and usage of stored accounts, stored
-- rounds and bets as they are now, the batch's seal, the house's accounts of this lane, and the journal of what will be published.
WITH counted AS (
    UPDATE players p
    SET sequence = u.sequence
    FROM unnest(cells($12)::smallint[], cells($13), cells($14)::bigint[]) AS u (shard, player_id, sequence)
    WHERE p.shard = u.shard AND p.player_id = u.player_id
), balanced AS (
    UPDATE accounts a
    SET balance = u.balance, version = u.version, usage = u.usage
    FROM unnest(
        cells($15)::smallint[], cells($16)::bigint[], cells($17)::numeric[], cells($18)::bigint[], cells($19)
    ) AS u (shard, number, balance, version, usage)
    WHERE a.shard = u.shard AND a.number = u.number
), played AS (
    UPDATE rounds r
    SET game_id = u.game_id, currency = u.currency, closed_at = u.closed_at, bets = u.bets,
        bets_rolled_back = u.bets_rolled_back, wins = u.wins, staked_minor = u.staked_minor, won_minor = u.won_minor,
        also = u.also
    FROM unnest(
        cells($20)::smallint[], cells($21)::bigint[], cells($22), cells($23), cells($24), cells($25),
        cells($26)::timestamptz[], cells($27)::integer[], cells($28)::integer[], cells($29)::integer[],
        cells($30)::numeric[], cells($31)::numeric[], cells($32)
    ) AS u (
        shard, player, provider, round_id, game_id, currency, closed_at, bets, bets_rolled_back, wins, staked_minor,
        won_minor, also
    )
    WHERE r.shard = u.shard AND r.player = u.player AND r.provider = u.provider AND r.round_id = u.round_id
), marked AS (
    UPDATE bet_marks m
    SET rolled_back = u.rolled_back, wins = u.wins, game_wins = u.game_wins, won_minor = u.won_minor,
        refunded_minor = u.refunded_minor, paid_otherwise = u.paid_otherwise
    FROM unnest(
        cells($33)::smallint[], cells($34)::bigint[], cells($35), cells($36), cells($37)::boolean[],
        cells($38)::integer[], cells($39)::integer[], cells($40)::numeric[], cells($41)::numeric[], cells($42)
    ) AS u (shard, player, provider, key, rolled_back, wins, game_wins, won_minor, refunded_minor, paid_otherwise)
    WHERE m.shard = u.shard AND m.player = u.player AND m.provider = u.provider AND m.key = u.key
), house AS (
    INSERT INTO house_accounts AS h (provider, currency, purpose, balance, lane)
    SELECT u.*, $2
    FROM unnest(cells($43), cells($44), cells($45), cells($46)::numeric[]) AS u
    ON CONFLICT (lane, provider, currency, purpose) DO UPDATE SET balance = h.balance + excluded.balance
), sealed AS (
    INSERT INTO seals (layout, lane, seq, outcomes, revision, decided_at, previous, seal)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
)
INSERT INTO journal (layout, lane, seq, records, payload, partitions, next_offsets)
VALUES ($1, $2, $3, $9, $10, $11::integer[], $47::bigint[]);
