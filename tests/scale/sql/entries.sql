-- One leg for each of transactions $1 to $2.
INSERT INTO croupier.entries (shard, player, sequence, leg, provider, currency, amount_minor, debit, credit, decided_at)
SELECT one.player % 8, one.player, one.sequence, 0, 'acme', 'EUR', CASE WHEN one.sequence % 2 = 1 THEN 100 ELSE 95 END,
    CASE WHEN one.sequence % 2 = 1 THEN 'cash' ELSE 'house:gaming' END,
    CASE WHEN one.sequence % 2 = 1 THEN 'house:gaming' ELSE 'cash' END, one.at
FROM (
    SELECT n,
        CASE WHEN n % 10 = 0 THEN 1 ELSE 2 + n % $3::bigint END AS player,
        CASE WHEN n % 10 = 0 THEN n / 10 + 1 ELSE n / $3::bigint + 1 END AS sequence,
        date_trunc('month', now()) - interval '20 days' + n * (interval '60 days' / $4::double precision) AS at
    FROM generate_series($1::bigint, $2::bigint) AS n
) AS one;
