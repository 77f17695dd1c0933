-- Bonuses: which a player was granted and still has, and how far their wagering has come.

ALTER TABLE players ADD COLUMN bonuses text;
COMMENT ON COLUMN players.bonuses IS 'JSON, the bonuses that the player has, oldest first, each a list: id, currency, sequence of its grant, wagering requirement and what was wagered for it, in minor units; NULL where there are none.';
