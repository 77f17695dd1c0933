-- How far each lane of the current layout has come, and which batches its journal holds.
SELECT l.layout, l.lane, l.epoch, l.owner, l.applied_seq, l.published_seq, l.partitions, l.next_offsets,
    l.stopped_reason, l.suspect_takeovers, l.suspect_partition, l.suspect_offset,
    ARRAY(SELECT j.seq FROM croupier.journal j WHERE j.layout = l.layout AND j.lane = l.lane ORDER BY j.seq) AS journal
FROM croupier.lanes l
ORDER BY l.layout, l.lane;
