-- name: of_target
-- What operators did to something, in order.
SELECT at, actor, action, why, details FROM operator_actions WHERE target = $1 ORDER BY number;

-- name: note
-- Notes an act.
INSERT INTO operator_actions (actor, action, target, why, details) VALUES ($1, $2, $3, $4, $5) RETURNING number;
