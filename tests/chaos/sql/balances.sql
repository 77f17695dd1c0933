-- The cash of all players, in minor units.
SELECT player_id, currency, balance_minor FROM croupier.balance_v1 WHERE pool = 'cash';
