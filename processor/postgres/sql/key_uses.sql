-- name: note
-- Adds what a worker saw of keys since it last told: (key ids, owners, times of the last use, numbers of uses).
INSERT INTO key_uses (key_id, owner, last_used_at, uses)
SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[])
ON CONFLICT (key_id) DO UPDATE
SET last_used_at = GREATEST(key_uses.last_used_at, EXCLUDED.last_used_at), uses = key_uses.uses + EXCLUDED.uses;

-- name: last
-- When each key was last used.
SELECT key_id, last_used_at FROM key_uses;
