-- The same rows made whole.
UPDATE croupier.lanes SET applied_seq = applied_seq + 1;
