-- Transfers out that told a balance: what `croupier discrepancies` looks through, and nothing else is in it.

CREATE INDEX outcomes_reported ON outcomes (decided_at, player, sequence) WHERE type = 'transfer_out' AND own IS NOT NULL;
