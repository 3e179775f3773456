"""Every night in Airflow: the raw collections in, the indicators out, everything checked.

A task fails by the program's exit code. 11 (another run is at work) is tried again; 1 (findings in the data) and 3 (configuration) are not,
since they are the same the second time. With OPENLINEAGE_URL set, the lineage events go where those of Airflow go.
"""

import datetime
import subprocess

from airflow.decorators import dag, task
from airflow.exceptions import AirflowException, AirflowFailException

CONFIG = "/etc/perkins/perkins.toml"
ALL = ["perkins", "all", "/srv/perkins/raw", "--config", CONFIG, "--log-format", "json"]
VERIFY = ["perkins", "verify", "--config", CONFIG]
NOT_AGAIN = {1, 3}


def call(command):
    """Runs a command; its output is the task's log, its last line the task's result."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    print(done.stdout)
    if done.returncode in NOT_AGAIN:
        raise AirflowFailException(f"{command[:2]} ended with {done.returncode}")
    if done.returncode != 0:
        raise AirflowException(f"{command[:2]} ended with {done.returncode}")
    return done.stdout.strip().splitlines()[-1]


@dag(
    schedule="30 2 * * *",
    start_date=datetime.datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": datetime.timedelta(minutes=10)},
)
def perkins():
    @task
    def indicators():
        return call(ALL)

    @task
    def whole():
        return call(VERIFY)

    indicators() >> whole()


perkins()
