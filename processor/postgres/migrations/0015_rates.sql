-- Rates of conversion are reference data too.

ALTER TABLE reference_documents DROP CONSTRAINT reference_documents_kind_check;
ALTER TABLE reference_documents
    ADD CONSTRAINT reference_documents_kind_check CHECK (kind IN ('providers', 'games', 'currencies', 'wallet', 'rates'));
