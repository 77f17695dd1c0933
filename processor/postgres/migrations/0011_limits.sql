-- Responsible gaming: a player's limits, what was used of them, and when each event came (by the broker's time).

ALTER TABLE players ADD COLUMN limits text;
COMMENT ON COLUMN players.limits IS 'JSON, the limits that the player has set, each a list: name, period, currency, value, raised to, from when; NULL where there are none.';

ALTER TABLE accounts ADD COLUMN usage text;
COMMENT ON COLUMN accounts.usage IS 'Of cash accounts: the last active day (1 is 0001-01-01) in the player''s time zone and its stakes, stakes without bonus, winnings, deposits; then those of earlier days of its week and month.';

ALTER TABLE outcomes ADD COLUMN broker_time timestamptz;
COMMENT ON COLUMN outcomes.broker_time IS 'When the event came, by the broker''s clock: what limits, sessions and rates are counted by.';
