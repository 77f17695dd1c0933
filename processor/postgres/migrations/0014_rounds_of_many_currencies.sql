-- Rounds in which more than one currency was played for: what was staked and won in the others.

ALTER TABLE rounds ADD COLUMN also text;
COMMENT ON COLUMN rounds.also IS 'JSON, by currency other than the round''s own: minor units staked, minor units won; NULL where there is none.';
