"""`croupier migrate`: bring the database to the schema that this program needs."""

from __future__ import annotations

import typer

from processor.ops.console import JsonOption, output, show_json
from processor.ops.runtime import load_settings, run_async

app = typer.Typer(add_completion=False)


@app.command()
def migrate(as_json: JsonOption = False) -> None:
    """Carry out the migrations that the database has not had yet, and set the roles' rights.

    Uses CROUPIER_POSTGRES_MIGRATOR_DSN (the database's owner), or CROUPIER_POSTGRES_DSN where that is not
    set. Running it again changes nothing.
    """
    from processor.postgres.migrate import migrate as carry_out

    settings = load_settings()
    dsn = settings.postgres_migrator_dsn or settings.postgres_dsn
    done = run_async(
        carry_out(dsn.get_secret_value(), worker_role=settings.worker_role, owner_role=settings.owner_role)
    )
    if as_json:
        show_json({"migrations": done})
    elif done:
        output().print(f"Migrated: {', '.join(done)}.")
    else:
        output().print("The database is as it must be; nothing to migrate.")
