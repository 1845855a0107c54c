"""The execution of one run: job, process, lease, status and identity."""
