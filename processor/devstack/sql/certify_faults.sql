-- What is wrong in the books of the players $1: an entry that does not name two sides, or a pool whose balance or
-- version is not what its entries add up to.
WITH movements AS (
    SELECT player_id, currency, credit AS pool, amount_minor FROM entry_v1 WHERE player_id = ANY ($1::text[])
    UNION ALL
    SELECT player_id, currency, debit, -amount_minor FROM entry_v1 WHERE player_id = ANY ($1::text[])
),
sums AS (
    SELECT player_id, currency, pool, sum(amount_minor) AS amount_minor, count(*) AS entries
    FROM movements
    WHERE pool NOT LIKE 'house:%'
    GROUP BY player_id, currency, pool
)
SELECT format('%s has an entry %s that does not sum to zero', player_id, sequence) AS fault
FROM entry_v1
WHERE player_id = ANY ($1::text[])
      AND (debit IS NULL OR credit IS NULL OR debit = credit OR amount_minor IS NULL OR amount_minor <= 0)
UNION ALL
SELECT format('%s %s %s: the balance is %s after %s entries, the entries sum to %s and are %s',
              player_id, currency, pool, balance_minor, version, coalesce(s.amount_minor, 0), coalesce(s.entries, 0))
FROM balance_v1 b
FULL JOIN sums s USING (player_id, currency, pool)
WHERE player_id = ANY ($1::text[])
      AND (b.balance_minor IS DISTINCT FROM coalesce(s.amount_minor, 0) OR b.version IS DISTINCT FROM coalesce(s.entries, 0));
