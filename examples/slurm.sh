#!/bin/bash
# A study as a job array on a shared file system: every job does its share of the tasks with all
# the cores that it is given, and the last one to end writes the result.
#
#     sbatch examples/slurm.sh study.toml /scratch/$USER/run
#
# Jobs may begin and end in any order, fail and be requeued. The batch system announces the end of
# the time by SIGTERM 60 seconds before: the job finishes what is running, exits with 75, and is
# put back into the queue, where it goes on. To see how far it is: spintherm show /scratch/$USER/run

#SBATCH --job-name=spintherm
#SBATCH --array=1-64
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=16
#SBATCH --mem=8G
#SBATCH --time=02:00:00
#SBATCH --signal=TERM@60
#SBATCH --requeue
#SBATCH --output=spintherm-%A-%a.log

set -u
study=$1
directory=$2
export OMP_NUM_THREADS=1

srun spintherm run "$study" --out "$directory" \
    --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" \
    --threads "$SLURM_CPUS_PER_TASK"
code=$?

if [ "$code" -eq 75 ]; then
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
fi
exit "$code"
