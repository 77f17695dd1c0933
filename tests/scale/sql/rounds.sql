-- A round for each two decisions of a player; one in a thousand was never closed.
INSERT INTO croupier.rounds (shard, player, provider, round_id, game_id, currency, opened_at, closed_at, bets,
    bets_rolled_back, wins, staked_minor, won_minor)
SELECT o.player % 8, o.player, 'acme', o.round_id, 'g-1', 'EUR', min(o.decided_at),
    CASE WHEN min(o.sequence) % 2000 <> 1 THEN max(o.decided_at) END, 1 + (min(o.sequence) % 2000 = 1)::integer, 0, 1, 100, 95
FROM croupier.outcomes o
WHERE o.round_id IS NOT NULL
GROUP BY o.player, o.round_id;
