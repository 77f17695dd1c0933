-- What the pools of the players hold whose ids begin with $1, in minor units.
SELECT player_id, currency, pool, balance_minor
FROM balance_v1
WHERE starts_with(player_id, $1);
