-- Transactions $1 to $2: each tenth is the first player's, the others go round; bets and their wins, one by one, in
-- sixty days.
INSERT INTO croupier.outcomes (provider, key, transaction_id, player, sequence, shard, wallet_transaction_id, type, code,
    currency, amount_minor, round_id, session_id, reference, kind, moved_minor, moved_currency, event_partition,
    event_offset, layout, lane, seq, position, revision, decided_at, broker_time)
SELECT 'acme', 't-' || one.n, 't-' || one.n, one.player, one.sequence, one.player % 8, gen_random_uuid(),
    CASE WHEN one.sequence % 2 = 1 THEN 'bet' ELSE 'win' END, 'OK', 'EUR', 100,
    'r-' || one.player || '-' || (one.sequence - 1) / 2, 's-' || one.player || '-' || (one.sequence - 1) / 100,
    CASE WHEN one.sequence % 2 = 0 THEN 't-' || one.n - one.step END,
    CASE WHEN one.sequence % 2 = 1 THEN 'stake' ELSE 'game' END,
    CASE WHEN one.sequence % 2 = 1 THEN -100 ELSE 95 END, 'EUR', one.player % 12, one.n, 1, one.player % 4, one.n, 0, 1,
    one.at, one.at
FROM (
    SELECT n,
        CASE WHEN n % 10 = 0 THEN 1 ELSE 2 + n % $3::bigint END AS player,
        CASE WHEN n % 10 = 0 THEN n / 10 + 1 ELSE n / $3::bigint + 1 END AS sequence,
        CASE WHEN n % 10 = 0 THEN 10 ELSE $3::bigint END AS step,
        date_trunc('month', now()) - interval '20 days' + n * (interval '60 days' / $4::double precision) AS at
    FROM generate_series($1::bigint, $2::bigint) AS n
) AS one;
