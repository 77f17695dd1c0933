-- What the wins of a bet paid, where it was not from the gaming account to cash: a rollback after the win takes it back.

ALTER TABLE bet_marks ADD COLUMN paid_otherwise text;
COMMENT ON COLUMN bet_marks.paid_otherwise IS 'JSON, what of won_minor did not go from the gaming account to cash: account>pool to minor units.';
