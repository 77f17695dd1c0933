-- How often a worker died over an event: one death proves nothing, for a worker has other lanes that it can die for.

CREATE TABLE suspects (
    layout          integer NOT NULL,
    lane            integer NOT NULL,
    event_partition integer NOT NULL,
    event_offset    bigint NOT NULL,
    deaths          integer NOT NULL DEFAULT 1,
    last_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT suspects_pkey PRIMARY KEY (layout, lane, event_partition, event_offset),
    CONSTRAINT suspects_deaths_check CHECK (deaths > 0)
);
COMMENT ON TABLE suspects IS 'Events that were marked before they were read when their worker died, and how often it did; forgotten once the lane is past them.';
