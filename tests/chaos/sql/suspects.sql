-- The events over which workers died, and how often.
SELECT event_partition, event_offset, deaths FROM croupier.suspects;
