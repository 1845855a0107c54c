. /tmp/w60-stranger/env.sh
cd /tmp/w60-stranger/digits
echo "### taskset, OMP_NUM_THREADS=0, TMPDIR missing, CUDA hidden, oneDNN off, KERAS_BACKEND=torch, server down"; (export OMP_NUM_THREADS=0 TMPDIR=/nonexistent CUDA_VISIBLE_DEVICES=7 TF_ENABLE_ONEDNN_OPTS=0 KERAS_BACKEND=torch MLFLOW_TRACKING_URI=http://u:secret@127.0.0.1:9; timeout 200 taskset -c 0 $PY -m ablate.doctor 2>&1; echo rc $?)
echo "### env -i"; (nice -n 19 env -i PYTHONPATH=$PYTHONPATH LANG=C TERM=dumb MLFLOW_TRACKING_URI=postgresql://me:secret@127.0.0.1:9/x COLUMNS=20 timeout 200 /work/main/.venv/bin/python -m ablate.doctor hardware.devices=cpu 2>&1 | cat; echo rc $?)
