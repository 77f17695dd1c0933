-- name: snapshot
-- All proofs look at one moment, while the lanes go on; sorting and joining millions wants more room than a lane does.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL work_mem = '256MB';

-- name: mark
-- How far the audit has proved the books.
SELECT proved FROM audit_marks WHERE name = 'books';

-- name: keep_mark
-- Notes how far the books are proved now.
INSERT INTO audit_marks (name, proved) VALUES ('books', $1)
ON CONFLICT (name) DO UPDATE SET proved = excluded.proved, updated_at = now();

-- name: extent
-- What there is to prove beyond the mark: since when, how many batches, how many decisions.
SELECT min(s.decided_at) AS since, count(*) AS batches, COALESCE(sum(s.outcomes), 0)::bigint AS outcomes
FROM seals s
LEFT JOIN unnest($1::integer[], $2::integer[], $3::bigint[]) AS m (layout, lane, seq) USING (layout, lane)
WHERE s.seq > COALESCE(m.seq, 0);

-- name: unbalanced_currencies
-- Per currency, everything that players and house have is zero: each entry gave to one side what it took from the other.
SELECT currency, sum(balance) AS surplus_minor
FROM (
    SELECT currency, balance FROM accounts
    UNION ALL
    SELECT currency, balance FROM house_accounts
) AS every_account
GROUP BY currency
HAVING sum(balance) <> 0
ORDER BY currency;

-- name: accounts
-- How many accounts there are.
SELECT count(*) FROM accounts;

-- name: unequal_balances
-- Accounts that differ from the sum, or the count, of their entries.
WITH sides AS (
    SELECT player, currency, debit AS pool, -amount_minor AS change FROM entries WHERE debit NOT LIKE 'house:%'
    UNION ALL
    SELECT player, currency, credit AS pool, amount_minor AS change FROM entries WHERE credit NOT LIKE 'house:%'
), sums AS (
    SELECT player, currency, pool, sum(change) AS balance, count(*) AS version FROM sides GROUP BY player, currency, pool
)
SELECT p.player_id, player, currency, pool, a.balance, a.version, s.balance AS entries_balance, s.version AS entries
FROM accounts a
FULL JOIN sums s USING (player, currency, pool)
LEFT JOIN players p ON p.number = player
WHERE a.balance IS DISTINCT FROM COALESCE(s.balance, 0) OR a.version IS DISTINCT FROM COALESCE(s.version, 0)
ORDER BY p.player_id, currency, pool
LIMIT 1;

-- name: broken_chains
-- Entries beyond the mark ($5: all there are) that do not follow from the entry before of the same account, or after which
-- the account's row stands elsewhere. A first entry follows from nothing, or from an entry that was proved before.
WITH fresh AS (
    SELECT e.* FROM entries e WHERE $5 AND e.decided_at >= $4
    UNION ALL
    SELECT e.* FROM entries e
    WHERE NOT $5 AND e.decided_at >= $4 AND EXISTS (
        SELECT FROM outcomes o
        LEFT JOIN unnest($1::integer[], $2::integer[], $3::bigint[]) AS m (layout, lane, seq) USING (layout, lane)
        WHERE o.player = e.player AND o.sequence = e.sequence AND o.seq > COALESCE(m.seq, 0) AND o.decided_at >= $4
    )
), sides AS (
    SELECT player, sequence, leg, currency, debit AS pool, -amount_minor AS change, debit_balance_after AS after,
        debit_version AS version
    FROM fresh WHERE debit NOT LIKE 'house:%'
    UNION ALL
    SELECT player, sequence, leg, currency, credit, amount_minor, credit_balance_after, credit_version
    FROM fresh WHERE credit NOT LIKE 'house:%'
), steps AS (
    SELECT *, lag(after) OVER account AS before, lag(version) OVER account AS version_before,
        lead(version) OVER account IS NULL AS is_last, lag(version) OVER account IS NULL AS is_first
    FROM sides
    WINDOW account AS (PARTITION BY player, currency, pool ORDER BY version)
), joined AS (
    SELECT s.*, COALESCE(s.before, earlier.after, 0) AS from_balance,
        COALESCE(s.version_before, earlier.version, 0) AS from_version
    FROM steps s
    LEFT JOIN LATERAL (
        SELECT CASE WHEN e.debit = s.pool THEN e.debit_balance_after ELSE e.credit_balance_after END AS after,
            CASE WHEN e.debit = s.pool THEN e.debit_version ELSE e.credit_version END AS version
        FROM entries e
        WHERE s.is_first AND s.version > 1 AND e.player = s.player AND e.sequence <= s.sequence
            AND (e.sequence, e.leg) < (s.sequence, s.leg)
            AND e.currency = s.currency AND s.pool IN (e.debit, e.credit)
        ORDER BY e.sequence DESC, e.leg DESC
        LIMIT 1
    ) AS earlier ON true
)
SELECT p.player_id, j.player, j.currency, j.pool, j.sequence, j.leg, j.version, j.change, j.after, j.from_balance,
    j.from_version, a.balance, a.version AS account_version
FROM joined j
LEFT JOIN players p ON p.number = j.player
LEFT JOIN accounts a ON a.player = j.player AND a.currency = j.currency AND a.pool = j.pool
WHERE j.after IS DISTINCT FROM j.from_balance + j.change
    OR j.version IS DISTINCT FROM j.from_version + 1
    OR j.is_last AND (a.balance IS DISTINCT FROM j.after OR a.version IS DISTINCT FROM j.version)
ORDER BY p.player_id, j.sequence, j.leg
LIMIT 1;

-- name: fresh_entries
-- How many entries there are beyond the mark, or ($5) in all: then they are counted without a look at their decisions.
SELECT count(*)
FROM (
    SELECT FROM entries e WHERE $5 AND e.decided_at >= $4
    UNION ALL
    SELECT FROM entries e
    WHERE NOT $5 AND e.decided_at >= $4 AND EXISTS (
        SELECT FROM outcomes o
        LEFT JOIN unnest($1::integer[], $2::integer[], $3::bigint[]) AS m (layout, lane, seq) USING (layout, lane)
        WHERE o.player = e.player AND o.sequence = e.sequence AND o.seq > COALESCE(m.seq, 0) AND o.decided_at >= $4
    )
) AS fresh;

-- name: entries_of_nothing
-- Entries that no decision stands behind.
SELECT p.player_id, e.player, e.sequence, e.leg
FROM entries e
LEFT JOIN players p ON p.number = e.player
WHERE e.decided_at >= $1
    AND NOT EXISTS (SELECT FROM outcomes o WHERE o.player = e.player AND o.sequence = e.sequence)
ORDER BY e.player, e.sequence, e.leg
LIMIT 1;

-- name: negative_pools
-- Pools below zero, debts above it.
SELECT p.player_id, a.player, a.currency, a.pool, a.balance
FROM accounts a
LEFT JOIN players p ON p.number = a.player
WHERE CASE WHEN a.pool = 'debt' THEN a.balance > 0 ELSE a.balance < 0 END
ORDER BY p.player_id, a.currency, a.pool
LIMIT 1;

-- name: negative_entries
-- Entries that left a pool below zero, or a debt above it.
SELECT p.player_id, e.player, e.sequence, e.leg
FROM entries e
LEFT JOIN players p ON p.number = e.player
WHERE e.decided_at >= $1 AND (
    CASE WHEN e.debit = 'debt' THEN e.debit_balance_after > 0 ELSE e.debit_balance_after < 0 END
    OR CASE WHEN e.credit = 'debt' THEN e.credit_balance_after > 0 ELSE e.credit_balance_after < 0 END
)
ORDER BY e.player, e.sequence, e.leg
LIMIT 1;

-- name: seals
-- The seals beyond the mark, lane by lane in order.
SELECT s.layout, s.lane, s.seq, s.previous, s.seal, s.outcomes
FROM seals s
LEFT JOIN unnest($1::integer[], $2::integer[], $3::bigint[]) AS m (layout, lane, seq) USING (layout, lane)
WHERE s.seq > COALESCE(m.seq, 0)
ORDER BY s.layout, s.lane, s.seq;

-- name: sealed
-- The decisions beyond the mark in the order of their seals, each with its entries in the order of legs.
SELECT o.layout, o.lane, o.seq, o.position,
    o.provider, o.key, o.transaction_id, COALESCE(p.player_id, '') AS player_id, o.type, o.code,
    o.wallet_transaction_id::text, o.currency, o.amount_minor::text, o.amount_text, o.game_id, o.round_id, o.session_id,
    o.reference, o.kind, o.own, o.moved_minor::text, o.moved_currency, o.split, o.details, o.sequence,
    o.event_partition, o.event_offset, o.decided_at, o.broker_time,
    e.leg, e.provider AS entry_provider, e.currency AS entry_currency, e.amount_minor::text AS entry_minor, e.debit, e.credit,
    e.debit_balance_after::text, e.debit_version, e.credit_balance_after::text, e.credit_version
FROM outcomes o
LEFT JOIN unnest($1::integer[], $2::integer[], $3::bigint[]) AS m (layout, lane, seq) USING (layout, lane)
LEFT JOIN players p ON p.number = o.player
LEFT JOIN entries e ON e.player = o.player AND e.sequence = o.sequence AND e.decided_at = o.decided_at
WHERE o.seq > COALESCE(m.seq, 0) AND o.decided_at >= $4
ORDER BY o.layout, o.lane, o.seq, o.position, e.leg;

-- name: house_changes
-- What entries beyond the mark ($5: all there are) change of the house's accounts.
WITH fresh AS (
    SELECT e.* FROM entries e WHERE $5 AND e.decided_at >= $4
    UNION ALL
    SELECT e.* FROM entries e
    WHERE NOT $5 AND e.decided_at >= $4 AND EXISTS (
        SELECT FROM outcomes o
        LEFT JOIN unnest($1::integer[], $2::integer[], $3::bigint[]) AS m (layout, lane, seq) USING (layout, lane)
        WHERE o.player = e.player AND o.sequence = e.sequence AND o.seq > COALESCE(m.seq, 0) AND o.decided_at >= $4
    )
)
SELECT provider, currency, purpose, sum(change)::text AS change
FROM (
    SELECT provider, currency, substr(credit, 7) AS purpose, amount_minor AS change FROM fresh WHERE credit LIKE 'house:%'
    UNION ALL
    SELECT provider, currency, substr(debit, 7), -amount_minor FROM fresh WHERE debit LIKE 'house:%'
) AS house_sides
GROUP BY provider, currency, purpose;

-- name: house_balances
-- The house's accounts, lanes summed.
SELECT provider, currency, purpose, sum(balance)::text AS balance
FROM house_accounts
GROUP BY provider, currency, purpose;

-- name: round_totals
-- Stakes less winnings of all rounds: what they must have brought the gaming accounts.
SELECT provider, currency, sum(net)::text AS net
FROM (
    SELECT provider, currency, staked_minor - won_minor AS net FROM rounds WHERE staked_minor <> won_minor
    UNION ALL
    SELECT r.provider, other.key, (other.value ->> 0)::numeric - (other.value ->> 1)::numeric
    FROM rounds r, json_each(r.also::json) AS other
    WHERE r.also IS NOT NULL
) AS every_currency
GROUP BY provider, currency;

-- name: gaming_outside_rounds
-- What moved the gaming accounts beyond the mark without a round: adjustments, session settlements, wins of no round.
WITH decided AS (
    SELECT DISTINCT o.player, o.sequence
    FROM outcomes o
    LEFT JOIN unnest($1::integer[], $2::integer[], $3::bigint[]) AS m (layout, lane, seq) USING (layout, lane)
    WHERE o.seq > COALESCE(m.seq, 0) AND o.decided_at >= $4
        AND (o.type IN ('adjust', 'transfer_in', 'transfer_out') OR o.type = 'win' AND o.round_id IS NULL
            OR o.type = 'reverse_win' AND EXISTS (
                SELECT FROM outcomes w
                WHERE w.player = o.player AND w.provider = o.provider AND w.transaction_id = o.reference
                    AND w.type = 'win' AND w.round_id IS NULL
            ))
)
SELECT e.provider, e.currency,
    sum(CASE WHEN e.credit = 'house:gaming' THEN e.amount_minor ELSE -e.amount_minor END)::text AS change
FROM entries e
JOIN decided d USING (player, sequence)
WHERE e.decided_at >= $4 AND 'house:gaming' IN (e.debit, e.credit)
GROUP BY e.provider, e.currency;

-- name: lanes
-- How far each lane is, by its row, its seals and its journal.
SELECT l.layout, l.lane, l.applied_seq, l.published_seq,
    (SELECT COALESCE(max(s.seq), 0) FROM seals s WHERE s.layout = l.layout AND s.lane = l.lane) AS sealed_seq,
    (SELECT s.seal FROM seals s WHERE s.layout = l.layout AND s.lane = l.lane AND s.seq = l.applied_seq) AS seal,
    (
        SELECT count(*) FROM journal j
        WHERE j.layout = l.layout AND j.lane = l.lane AND j.seq > l.published_seq AND j.seq <= l.applied_seq
    ) AS waiting
FROM lanes l
ORDER BY l.layout, l.lane;

-- name: seal_of
-- A stored seal, to see that what was proved is still there.
SELECT seal FROM seals WHERE layout = $1 AND lane = $2 AND seq = $3;
