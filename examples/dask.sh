#!/bin/bash
# A study on a Dask cluster whose workers come and go; here processes of this machine.
#
#     examples/dask.sh study.toml DIR [WORKERS]
#
# On a real cluster the scheduler is started once, workers wherever there is room and time (as jobs
# of the batch system, say), and the study from any machine that sees the directory. Workers that
# are lost are replaced by others at the same tasks. Ctrl-C leaves a directory that can be resumed.

set -eu
study=$1
directory=$2
workers=${3:-2}
address=tcp://127.0.0.1:8786

dask scheduler --host 127.0.0.1 --port 8786 --no-dashboard &
trap 'kill $(jobs -p) 2>/dev/null' EXIT
for _ in $(seq "$workers"); do
    OMP_NUM_THREADS=1 dask worker "$address" --nthreads 1 --no-dashboard &
done

spintherm run "$study" --out "$directory" --scheduler "$address"
