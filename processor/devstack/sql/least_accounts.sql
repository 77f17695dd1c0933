-- The players' accounts, locked in the order of their ids.
SELECT player, balance, version FROM bench_least.accounts WHERE player = ANY($1::text[]) ORDER BY player FOR UPDATE;
