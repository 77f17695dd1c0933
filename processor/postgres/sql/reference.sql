-- name: read
-- All reference data with its revision, in one statement, so that data and revision belong together.
SELECT d.kind, d.name, d.document::text, (SELECT max(revision) FROM reference_revisions) AS revision
FROM reference_documents d
UNION ALL
SELECT 'revision', '', NULL, COALESCE(max(revision), 0) FROM reference_revisions;

-- name: read_kinds
-- Reference data of some kinds, with the newest revision of all.
SELECT d.kind, d.name, d.document::text, (SELECT max(revision) FROM reference_revisions) AS revision
FROM reference_documents d
WHERE d.kind = ANY ($1::text[])
UNION ALL
SELECT 'revision', '', NULL, COALESCE(max(revision), 0) FROM reference_revisions;

-- name: lock
-- One change of reference data at a time.
LOCK TABLE reference_revisions IN SHARE ROW EXCLUSIVE MODE;

-- name: of_kind
-- The documents of one kind as they are.
SELECT name, document::text FROM reference_documents WHERE kind = $1;

-- name: current_revision
-- The revision in force, 0 before the first.
SELECT COALESCE(max(revision), 0) FROM reference_revisions;

-- name: new_revision
-- The next revision, and who asked for it.
INSERT INTO reference_revisions (revision, actor, why)
SELECT COALESCE(max(revision), 0) + 1, $1, $2 FROM reference_revisions
RETURNING revision;

-- name: note_change
-- What the revision changes in one document.
INSERT INTO reference_changes (revision, kind, name, before, after) VALUES ($1, $2, $3, $4::jsonb, $5::jsonb);

-- name: put
-- A document, new or changed.
INSERT INTO reference_documents (kind, name, document, revision) VALUES ($2, $3, $4::jsonb, $1)
ON CONFLICT (kind, name) DO UPDATE SET document = excluded.document, revision = excluded.revision;

-- name: remove
-- A document that is no longer there.
DELETE FROM reference_documents WHERE kind = $1 AND name = $2;

-- name: notify
-- Tells the workers at once.
SELECT pg_notify('croupier_reference', $1::text);

-- name: ids_are_used
-- Whether a provider has sent anything yet: then the form of its stored keys is fixed for ever.
SELECT EXISTS (SELECT FROM outcomes WHERE provider = $1);
