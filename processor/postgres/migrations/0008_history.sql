-- Histories: a player's index tells round, session and time of each decision by itself, so that a page of one round or
-- session among very many decisions reads their rows alone; and a round is found by its id.

DROP INDEX outcomes_player;
CREATE INDEX outcomes_player ON outcomes (player, sequence) INCLUDE (round_id, session_id, decided_at);

CREATE INDEX rounds_id ON rounds (round_id);
