-- name: discrepancies
-- A page of transfers out whose provider told another balance, newest first: refused, or settled by its figure.
SELECT o.decided_at, p.player_id, o.sequence, o.provider, o.transaction_id, o.code, o.currency, o.own,
    held.balance_after AS held_minor, settled.change_minor
FROM outcomes o
JOIN players p ON p.number = o.player
LEFT JOIN LATERAL (
    SELECT CASE WHEN e.credit = 'game:' || o.provider THEN e.credit_balance_after ELSE e.debit_balance_after END AS balance_after
    FROM entries e
    WHERE e.player = o.player AND e.sequence < o.sequence AND e.currency = o.currency
        AND 'game:' || o.provider IN (e.debit, e.credit)
    ORDER BY e.sequence DESC, e.leg DESC
    LIMIT 1
) AS held ON true
LEFT JOIN LATERAL (
    SELECT sum(CASE WHEN e.debit = 'house:gaming' THEN e.amount_minor ELSE -e.amount_minor END) AS change_minor
    FROM entries e
    WHERE e.player = o.player AND e.sequence = o.sequence AND 'house:gaming' IN (e.debit, e.credit)
) AS settled ON true
WHERE o.type = 'transfer_out' AND o.own IS NOT NULL
    AND (o.code = 'DISCREPANCY' OR settled.change_minor IS NOT NULL)
    AND ($1::text IS NULL OR o.provider = $1)
    AND ($2::text IS NULL OR p.player_id = $2)
    AND ($3::timestamptz IS NULL OR o.decided_at >= $3)
    AND (
        $4::timestamptz IS NULL
        OR (o.decided_at, o.player, o.sequence)
            < ($4, (SELECT f.number FROM players f WHERE f.player_id = $5), $6::bigint)
    )
ORDER BY o.decided_at DESC, o.player DESC, o.sequence DESC
LIMIT $7;
