-- Reference data: provider profiles, games, currencies as documents under one revision counter; the audit's marks.

CREATE TABLE reference_revisions (
    revision integer NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    actor    text NOT NULL,
    why      text NOT NULL,
    CONSTRAINT reference_revisions_pkey PRIMARY KEY (revision)
);
COMMENT ON TABLE reference_revisions IS 'Each change of reference data: every outcome names the revision that decided it.';

CREATE TABLE reference_documents (
    kind     text COLLATE "C" NOT NULL,
    name     text COLLATE "C" NOT NULL,
    document jsonb NOT NULL,
    revision integer NOT NULL,
    CONSTRAINT reference_documents_pkey PRIMARY KEY (kind, name),
    CONSTRAINT reference_documents_kind_check CHECK (kind IN ('providers', 'games', 'currencies', 'wallet'))
);
COMMENT ON TABLE reference_documents IS 'The reference data as it is now.';

CREATE TABLE reference_changes (
    revision integer NOT NULL,
    kind     text COLLATE "C" NOT NULL,
    name     text COLLATE "C" NOT NULL,
    before   jsonb,
    after    jsonb,
    CONSTRAINT reference_changes_pkey PRIMARY KEY (revision, kind, name)
);
COMMENT ON TABLE reference_changes IS 'What each revision changed, so that any decision''s reference data can be told again.';

CREATE TABLE audit_marks (
    name       text COLLATE "C" NOT NULL,
    proved     text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT audit_marks_pkey PRIMARY KEY (name)
);
COMMENT ON TABLE audit_marks IS 'How far the audit has proved the books, as JSON per kind of proof.';
