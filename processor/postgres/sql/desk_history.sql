-- A player's decisions lie in the order of their sequence; outcomes_player also holds round, session and time. Each
-- statement first finds sequences in that index alone (the part behind OFFSET 0 with no other column) and only then
-- reads the rows themselves. The outcomes of one batch event share a sequence.

-- name: page
-- A page of a player's decisions, newest first, below a sequence; decisions of one sequence are never parted.
SELECT o.sequence, o.decided_at, o.type, o.provider, o.transaction_id, o.wallet_transaction_id, o.code, o.kind,
    o.currency, o.game_id, o.round_id, o.session_id, o.reference, o.moved_minor, o.moved_currency, o.split,
    o.event_partition, o.event_offset, o.revision
FROM (
    SELECT DISTINCT i.sequence
    FROM outcomes i
    WHERE i.player = $1
        AND i.sequence < COALESCE($2, 9223372036854775807)
        AND ($6::text IS NULL OR i.round_id = $6)
        AND ($7::text IS NULL OR i.session_id = $7)
        AND ($8::timestamptz IS NULL OR i.decided_at >= $8)
        AND ($9::timestamptz IS NULL OR i.decided_at < $9)
    ORDER BY i.sequence DESC
    OFFSET 0
) AS found
CROSS JOIN LATERAL (
    SELECT *
    FROM outcomes f
    WHERE f.player = $1
        AND f.sequence = found.sequence
        AND ($3::text IS NULL OR f.provider = $3)
        AND ($4::text IS NULL OR f.type = $4)
        AND ($5::text IS NULL OR f.code = $5)
        AND ($6::text IS NULL OR f.round_id = $6)
        AND ($7::text IS NULL OR f.session_id = $7)
    ORDER BY f.position
    OFFSET 0
) AS o
ORDER BY found.sequence DESC
FETCH FIRST ($10) ROWS WITH TIES;

-- name: decisions
-- These decisions of a player, oldest first.
SELECT o.sequence, o.decided_at, o.type, o.provider, o.transaction_id, o.wallet_transaction_id, o.code, o.kind,
    o.currency, o.game_id, o.round_id, o.session_id, o.reference, o.moved_minor, o.moved_currency, o.split,
    o.event_partition, o.event_offset, o.revision
FROM unnest($2::bigint[]) AS found (sequence)
CROSS JOIN LATERAL (
    SELECT * FROM outcomes f WHERE f.player = $1 AND f.sequence = found.sequence OFFSET 0
) AS o
ORDER BY o.sequence, o.position;

-- name: legs
-- The entries of these decisions of a player, decided between two times, in the order of their legs.
SELECT e.sequence, e.leg, e.debit, e.credit, e.amount_minor, e.currency
FROM entries e
WHERE e.player = $1 AND e.sequence = ANY ($2::bigint[]) AND e.decided_at BETWEEN $3 AND $4
ORDER BY e.sequence, e.leg;

-- name: rounds
-- Rounds of this id, by player and provider, behind a given one: a round of a live table has many players.
SELECT p.player_id, r.player, r.provider, r.round_id, r.game_id, r.currency, r.opened_at, r.closed_at, r.bets,
    r.bets_rolled_back, r.wins, r.staked_minor, r.won_minor
FROM rounds r
JOIN players p ON p.number = r.player
WHERE r.round_id = $1
    AND ($2::text IS NULL OR p.player_id = $2)
    AND ($3::text IS NULL OR r.provider = $3)
    AND (p.player_id, r.provider) > ($4, $5)
ORDER BY p.player_id, r.provider
LIMIT $6;

-- name: sequences_of_round
-- Which decisions of a player belong to a round of a provider: those that name it, those without a round that refer to
-- one of them (a rollback), and those that refer to one of these.
WITH named AS MATERIALIZED (
    SELECT o.sequence, o.transaction_id
    FROM (SELECT i.sequence FROM outcomes i WHERE i.player = $1 AND i.round_id = $3 OFFSET 0) AS found
    CROSS JOIN LATERAL (
        SELECT *
        FROM outcomes f
        WHERE f.player = $1 AND f.sequence = found.sequence AND f.provider = $2 AND f.round_id = $3
        OFFSET 0
    ) AS o
),
referring AS MATERIALIZED (
    SELECT o.sequence, o.transaction_id, o.reference
    FROM (SELECT i.sequence FROM outcomes i WHERE i.player = $1 AND i.round_id IS NULL OFFSET 0) AS found
    CROSS JOIN LATERAL (
        SELECT *
        FROM outcomes f
        WHERE f.player = $1 AND f.sequence = found.sequence AND f.provider = $2 AND f.reference IS NOT NULL
        OFFSET 0
    ) AS o
),
nearer AS (
    SELECT sequence, transaction_id
    FROM referring
    WHERE reference IN (SELECT transaction_id FROM named)
)
SELECT sequence FROM named
UNION
SELECT sequence FROM nearer
UNION
SELECT sequence FROM referring WHERE reference IN (SELECT transaction_id FROM nearer)
ORDER BY sequence;

-- name: sessions
-- A page of a player's sessions, newest first, behind a given one; what ended one is the first of three times.
SELECT s.session_id, s.provider, s.channel, s.currency, s.game_id, s.opened_at, s.expires_at, s.closed_at,
    s.replaced_at
FROM sessions s
WHERE s.player = $1
    AND s.shard = (SELECT shard FROM players WHERE number = $1)
    AND ($2::timestamptz IS NULL OR (s.opened_at, s.session_id) < ($2, $3))
    AND ($4::text IS NULL OR s.session_id = $4)
    AND ($5::timestamptz IS NULL OR s.opened_at >= $5)
    AND ($6::timestamptz IS NULL OR s.opened_at < $6)
ORDER BY s.opened_at DESC, s.session_id DESC
LIMIT $7;

-- name: session_sums
-- What these sessions of a player moved, by currency, from the player's side: what was staked, won, and came back by
-- any other way. A decision without a session belongs to that of the one it refers to.
WITH named AS MATERIALIZED (
    SELECT found.session_id, o.provider, o.transaction_id, o.sequence, o.type, o.decided_at
    FROM (
        SELECT i.sequence, i.session_id FROM outcomes i WHERE i.player = $1 AND i.session_id = ANY ($2::text[]) OFFSET 0
    ) AS found
    CROSS JOIN LATERAL (
        SELECT *
        FROM outcomes f
        WHERE f.player = $1 AND f.sequence = found.sequence AND f.session_id = found.session_id
        OFFSET 0
    ) AS o
),
referring AS MATERIALIZED (
    SELECT o.provider, o.transaction_id, o.sequence, o.type, o.decided_at, o.reference
    FROM (SELECT i.sequence FROM outcomes i WHERE i.player = $1 AND i.session_id IS NULL OFFSET 0) AS found
    CROSS JOIN LATERAL (
        SELECT * FROM outcomes f WHERE f.player = $1 AND f.sequence = found.sequence AND f.reference IS NOT NULL OFFSET 0
    ) AS o
),
nearer AS (
    SELECT n.session_id, r.provider, r.transaction_id, r.sequence, r.type, r.decided_at
    FROM referring r
    JOIN named n ON n.provider = r.provider AND n.transaction_id = r.reference
),
decided AS (
    SELECT session_id, sequence, type, decided_at FROM named
    UNION ALL
    SELECT session_id, sequence, type, decided_at FROM nearer
    UNION ALL
    SELECT n.session_id, r.sequence, r.type, r.decided_at
    FROM referring r
    JOIN nearer n ON n.provider = r.provider AND n.transaction_id = r.reference
),
once AS (
    SELECT session_id, sequence, decided_at,
        bool_or(type IN ('bet', 'bet_win', 'batch')) AS stakes,
        bool_or(type IN ('win', 'bet_win', 'batch')) AS pays
    FROM decided
    GROUP BY session_id, sequence, decided_at
)
SELECT o.session_id, e.currency,
    COALESCE(sum(e.amount_minor) FILTER (WHERE o.stakes AND e.credit LIKE 'house:%'), 0) AS staked_minor,
    COALESCE(sum(e.amount_minor) FILTER (WHERE o.pays AND e.debit LIKE 'house:%'), 0) AS won_minor,
    sum(CASE WHEN e.debit LIKE 'house:%' THEN e.amount_minor ELSE -e.amount_minor END) AS net_minor
FROM once o
CROSS JOIN LATERAL (
    SELECT *
    FROM entries f
    WHERE f.player = $1 AND f.sequence = o.sequence AND f.decided_at = o.decided_at
        AND (f.debit LIKE 'house:%') <> (f.credit LIKE 'house:%')
    OFFSET 0
) AS e
GROUP BY o.session_id, e.currency
ORDER BY o.session_id, e.currency;

-- name: stuck_rounds
-- Open rounds older than their provider's time-out ($1 and $2, in hours; $3 for others) that hold stakes nobody has
-- settled, oldest first, behind a given one. A round of one bet that was paid a win holds none.
SELECT old.player_id, old.player, old.provider, old.round_id, old.game_id, old.currency, old.opened_at,
    unsettled.bets, unsettled.staked_minor
FROM (
    SELECT p.player_id, r.shard, r.player, r.provider, r.round_id, r.game_id, r.currency, r.opened_at
    FROM rounds r
    LEFT JOIN unnest($1::text[], $2::integer[]) AS known (provider, hours) ON known.provider = r.provider
    JOIN players p ON p.number = r.player
    WHERE r.closed_at IS NULL
        AND r.bets > r.bets_rolled_back
        AND NOT (r.bets - r.bets_rolled_back = 1 AND r.wins > 0)
        AND r.opened_at < $4::timestamptz - make_interval(hours => COALESCE(known.hours, $3))
        AND ($5::text IS NULL OR r.provider = $5)
        AND ($6::timestamptz IS NULL OR (r.opened_at, p.player_id, r.provider, r.round_id) > ($6, $7, $8, $9))
    ORDER BY r.opened_at, p.player_id, r.provider, r.round_id
    OFFSET 0
) AS old
CROSS JOIN LATERAL (
    SELECT count(*) AS bets, sum(-o.moved_minor) AS staked_minor
    FROM (
        SELECT DISTINCT i.sequence FROM outcomes i WHERE i.player = old.player AND i.round_id = old.round_id OFFSET 0
    ) AS found
    CROSS JOIN LATERAL (
        SELECT *
        FROM outcomes f
        WHERE f.player = old.player AND f.sequence = found.sequence AND f.provider = old.provider
            AND f.round_id = old.round_id AND f.type = 'bet' AND f.code = 'OK' AND f.kind IN ('stake', 'free_round')
            AND f.moved_minor < 0
        OFFSET 0
    ) AS o
    LEFT JOIN bet_marks m
        ON m.shard = old.shard AND m.player = old.player AND m.provider = old.provider
        AND m.key IN (o.transaction_id, o.transaction_id || E'\x1F' || old.player_id)
    WHERE m.key IS NULL OR NOT (m.rolled_back OR m.wins > 0 OR (m.refunded_minor > 0 AND m.refunded_minor >= -o.moved_minor))
    OFFSET 0
) AS unsettled
WHERE unsettled.bets > 0
ORDER BY old.opened_at, old.player_id, old.provider, old.round_id
LIMIT $10;
