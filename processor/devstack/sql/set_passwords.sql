-- The passwords that roles.sql gives, for this session only.
SELECT set_config('croupier.migrator_password', $1, false),
       set_config('croupier.worker_password', $2, false);
