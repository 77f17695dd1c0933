-- How far each lane of the current layout has come, and which batches its journal holds.
SELECT l.layout, l.lane, l.epoch, l.owner, l.applied_seq, l.published_seq, l.partitions, l.next_offsets,
    l.stopped_reason,
    ARRAY(SELECT j.seq FROM croupier.journal j WHERE j.layout = l.layout AND j.lane = l.lane ORDER BY j.seq) AS journal
FROM croupier.lanes l
ORDER BY l.layout, l.lane;
