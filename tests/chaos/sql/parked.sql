-- How many events are parked now.
SELECT count(*) FROM croupier.parked;
