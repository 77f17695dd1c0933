-- Every lane's row as it was before its newest batch.
UPDATE croupier.lanes SET applied_seq = applied_seq - 1;
