-- The cash of the players whose ids begin with $1, in minor units.
SELECT player_id, currency, balance_minor
FROM balance_v1
WHERE pool = 'cash' AND starts_with(player_id, $1);
