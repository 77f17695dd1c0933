-- The public read face, version 1: reports read these views, never the tables. A later version is added beside it.

CREATE VIEW balance_v1 AS
SELECT p.player_id, a.currency, a.pool, a.balance AS balance_minor, a.version
FROM accounts a
JOIN players p ON p.number = a.player;
COMMENT ON VIEW balance_v1 IS 'What each player has, by currency and pool, in minor units; version counts the entries.';

CREATE VIEW entry_v1 AS
SELECT p.player_id, e.sequence, e.leg, e.provider, e.currency, e.amount_minor, e.debit, e.credit,
       e.debit_balance_after AS debit_balance_after_minor, e.debit_version,
       e.credit_balance_after AS credit_balance_after_minor, e.credit_version, e.decided_at
FROM entries e
JOIN players p ON p.number = e.player;
COMMENT ON VIEW entry_v1 IS 'Every movement: both sides, the amount in minor units, balances and versions after it.';

CREATE VIEW transaction_v1 AS
SELECT p.player_id, o.sequence, o.provider, o.transaction_id, o.wallet_transaction_id, o.type, o.code, o.currency,
       o.amount_minor, o.amount_text, o.game_id, o.round_id, o.session_id, o.reference, o.kind,
       o.moved_minor, o.moved_currency, o.split::json AS split, o.details::json AS details,
       o.event_partition, o.event_offset, o.revision, o.decided_at
FROM outcomes o
JOIN players p ON p.number = o.player;
COMMENT ON VIEW transaction_v1 IS 'Every decided transaction id with its outcome; split is NULL where all of it is cash.';

CREATE VIEW round_v1 AS
SELECT p.player_id, r.provider, r.round_id, r.game_id, r.currency, r.opened_at, r.closed_at, r.bets,
       r.bets_rolled_back, r.wins, r.staked_minor, r.won_minor, r.won_minor - r.staked_minor AS net_minor
FROM rounds r
JOIN players p ON p.number = r.player;
COMMENT ON VIEW round_v1 IS 'Rounds of play with stakes and winnings in minor units, net from the player''s side.';
