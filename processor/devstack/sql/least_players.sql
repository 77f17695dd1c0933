-- The bench's players, each with money enough.
INSERT INTO bench_least.accounts (player, balance)
SELECT 'bench-p' || number, 10000000 FROM generate_series(0, $1::integer - 1) AS number;
