-- A session for each hundred decisions of a player.
INSERT INTO croupier.sessions (shard, player, session_id, provider, channel, currency, opened_at, expires_at, closed_at)
SELECT o.player % 8, o.player, o.session_id, 'acme', 'web', 'EUR', min(o.decided_at), max(o.decided_at) + interval '1 hour',
    max(o.decided_at)
FROM croupier.outcomes o
WHERE o.session_id IS NOT NULL
GROUP BY o.player, o.session_id;
