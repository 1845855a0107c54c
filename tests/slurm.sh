#!/bin/sh
# A sweep of two small runs through hydra/launcher=submitit_slurm, on a SLURM of this machine alone: as root, on Debian.
#   tests/slurm.sh [OVERRIDE..]
set -eu
cd "$(dirname "$0")/.."
python=$PWD/.venv/bin/python

if ! command -v slurmctld >/dev/null || ! command -v munged >/dev/null; then
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q slurm-wlm munge
fi

folder=$(mktemp -d)
# Munge trusts no folder that others may write to.
chmod 755 "$folder"
stop() {
    for name in slurmd slurmctld munged; do
        if [ -f "$folder/$name.pid" ]; then kill "$(cat "$folder/$name.pid")" || true; fi
    done
    sleep 2
    rm -rf "$folder"
}
trap stop EXIT
trap "exit 1" INT TERM

mkdir "$folder/state" "$folder/spool" "$folder/runs"
host=$(hostname -s)
head -c 1024 /dev/urandom >"$folder/munge.key"
chmod 600 "$folder/munge.key"
munged --force --key-file "$folder/munge.key" --socket "$folder/munge.socket" --pid-file "$folder/munged.pid" \
    --log-file "$folder/munged.log" --seed-file "$folder/munge.seed"

cat >"$folder/slurm.conf" <<END
ClusterName=alone
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
MpiDefault=none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF="$folder/slurm.conf"
slurmctld
slurmd
seconds=0
until sinfo --noheader --states=idle | grep -q idle; do
    seconds=$((seconds + 1))
    if [ $seconds -gt 60 ]; then
        cat "$folder"/*.log >&2
        echo "SLURM has no idle node after a minute" >&2
        exit 1
    fi
    sleep 1
done

cd "$folder/runs"
export MLFLOW_TRACKING_URI="sqlite:///$folder/runs/mlflow.db"
"$python" -m ablate.run -m hydra/launcher=submitit_slurm hydra.launcher.cpus_per_task=1 \
    hydra.launcher.gpus_per_node=null hydra.launcher.timeout_min=30 scale=smoke backbone.width=0.0625 depth=shallow \
    training.epochs=1 training.steps_per_epoch=2 tracking.model=false seed=0,1 "$@"
finished=$(find . -path '*/.submitit/*.out' -exec cat {} + | grep -c 'threads 1, .*' || true)
evaluated=$(find . -path '*/.submitit/*.out' -exec cat {} + | grep -c 'Evaluated: ' || true)
echo "$evaluated of 2 runs evaluated in jobs of SLURM, $finished of them with one thread"
[ "$evaluated" = 2 ]
