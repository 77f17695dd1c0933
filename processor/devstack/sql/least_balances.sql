-- The players' new balances.
UPDATE bench_least.accounts a
SET balance = u.balance, version = u.version
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS u (player, balance, version)
WHERE a.player = u.player;
