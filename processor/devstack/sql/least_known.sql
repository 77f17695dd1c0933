-- Ids of this batch that were decided before.
SELECT key FROM bench_least.outcomes WHERE provider = $1 AND key = ANY($2::text[]);
