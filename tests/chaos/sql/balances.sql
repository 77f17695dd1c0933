-- What all players' pools hold, in minor units.
SELECT player_id, currency, pool, balance_minor FROM croupier.balance_v1;
