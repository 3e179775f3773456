"""Every night in Dagster: the tables of a run as one asset, with its rows as metadata, and a check that everything is whole."""

import json
import subprocess

import dagster

CONFIG = "/etc/perkins/perkins.toml"
ALL = ["perkins", "all", "/srv/perkins/raw", "--config", CONFIG, "--log-format", "json"]
STATUS = ["perkins", "status", "--config", CONFIG, "--format", "json"]
VERIFY = ["perkins", "verify", "--config", CONFIG]


def call(command):
    """Runs a command; any exit code but 0 is a failure."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise dagster.Failure(f"{command[:2]} ended with {done.returncode}", metadata={"output": done.stdout})
    return done.stdout


@dagster.asset
def indicators(context):
    """The result tables of the current run."""
    said = call(ALL).strip().splitlines()[-1]
    run = next(r for r in json.loads(call(STATUS))["runs"] if r["current"])
    context.log.info(said)
    return dagster.MaterializeResult(metadata={"summary": said, "run_id": run["run_id"], "rows": run["rows"], "bytes": run["bytes"]})


@dagster.asset_check(asset=indicators)
def whole():
    """Every file is what its manifest says."""
    return dagster.AssetCheckResult(passed=subprocess.run(VERIFY).returncode == 0)


nightly = dagster.define_asset_job("nightly", selection=[indicators])
definitions = dagster.Definitions(
    assets=[indicators],
    asset_checks=[whole],
    jobs=[nightly],
    schedules=[dagster.ScheduleDefinition(job=nightly, cron_schedule="30 2 * * *")],
)
