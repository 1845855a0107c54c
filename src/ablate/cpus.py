"""How many threads a run may have, whoever launched it."""

import os

import joblib

_SHARES = ("SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS")
"""Set by SLURM for a job with `cpus_per_task`; by joblib and Ray for their workers, and by people."""


def job_threads() -> int:
    """Return the number of threads that leave the cores of other jobs alone.

    The least of the cores that this process may use (its affinity and its container's quota) and of the shares that
    SLURM, joblib or Ray name in the environment. A share that is no positive number is none.
    """
    shares = (os.environ.get(name, "").partition(",")[0].strip() for name in _SHARES)
    cores: int = joblib.cpu_count()
    return min([cores, *(int(share) for share in shares if share.isdecimal() and int(share) > 0)])
