-- Layouts that follow one another: lanes that are over, gaps that a person accepted, players who live elsewhere, and what
-- a lost receipt is looked for by.

ALTER TABLE lanes ADD COLUMN witness_seq bigint NOT NULL DEFAULT 0;
ALTER TABLE lanes ADD COLUMN retired_at timestamptz;
UPDATE lanes SET witness_seq = published_seq;
COMMENT ON COLUMN lanes.witness_seq IS 'The last published batch that put a record on the topics: a lost receipt is looked for down to it.';
COMMENT ON COLUMN lanes.retired_at IS 'When another layout followed: nobody can take the lane any more.';

COMMENT ON COLUMN players.event_partition IS 'Where this player lives, fixed by the first accepted open_player. Below 0: partitions were multiplied since, he lived in -1 - event_partition, and his next event tells where he lives.';

CREATE TABLE accepted_gaps (
    layout      integer NOT NULL,
    lane        integer NOT NULL,
    after_seq   bigint NOT NULL,
    up_to_seq   bigint NOT NULL,
    actor       text NOT NULL,
    why         text NOT NULL,
    accepted_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT accepted_gaps_pkey PRIMARY KEY (layout, lane),
    CONSTRAINT accepted_gaps_order_check CHECK (after_seq < up_to_seq)
);
COMMENT ON TABLE accepted_gaps IS 'Batches that the topics hold and the books lost: a person decided to decide their events again. Append-only.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON accepted_gaps FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON accepted_gaps FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Every table that keeps a player's rows by shard, also those of later migrations; decisions and entries stay as written.
CREATE FUNCTION move_player(moved_player_id text, new_partition integer, new_shard integer) RETURNS integer
LANGUAGE plpgsql SET search_path = croupier, pg_temp AS $$
DECLARE
    moved bigint;
    old_partition integer;
    kept regclass;
BEGIN
    SELECT number, event_partition INTO moved, old_partition FROM players WHERE player_id = moved_player_id FOR UPDATE;
    FOR kept IN
        SELECT c.oid::regclass
        FROM pg_class c
        JOIN pg_attribute s ON s.attrelid = c.oid AND s.attname = 'shard' AND NOT s.attisdropped
        JOIN pg_attribute p ON p.attrelid = c.oid AND p.attname = 'player' AND NOT p.attisdropped
        WHERE c.relnamespace = 'croupier'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND c.relname NOT IN ('outcomes', 'entries')
        ORDER BY c.relname
    LOOP
        EXECUTE format('UPDATE %s SET shard = $1 WHERE player = $2 AND shard <> $1', kept) USING new_shard, moved;
    END LOOP;
    UPDATE players SET event_partition = new_partition, shard = new_shard WHERE number = moved;
    RETURN old_partition;
END
$$;
COMMENT ON FUNCTION move_player(text, integer, integer) IS
    'Moves a player with everything that is kept of him to another partition and its shard; only while no lane works.';
REVOKE ALL ON FUNCTION move_player(text, integer, integer) FROM PUBLIC;
