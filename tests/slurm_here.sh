#!/usr/bin/env bash
# Slurm on this machine, for tests: a controller and two nodes of one core, as the user who starts it.
#
#   tests/slurm_here.sh FOLDER        starts it; its configuration is FOLDER/slurm.conf
#   tests/slurm_here.sh FOLDER stop   ends it
set -euo pipefail
folder=$(realpath -m "$1")
export SLURM_CONF=$folder/slurm.conf
if [ "${2:-}" = stop ]; then
  scancel --full --signal=KILL --user="$(id -un)" || true
  sleep 1
  for file in "$folder"/*.pid; do [ ! -e "$file" ] || kill "$(cat "$file")" || true; done
  exit
fi
for command in slurmctld slurmd sbatch; do
  command -v "$command" >/dev/null || { echo "error: no $command here: apt-get install slurm-wlm" >&2; exit 1; }
done
mkdir -p "$folder/state"
port=$((20000 + $$ % 10000 * 4)) # of its own
cat >"$folder/slurm.conf" <<END
ClusterName=here
SlurmctldHost=$(hostname)
SlurmctldAddr=127.0.0.1
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/none
CredType=cred/none
SlurmctldPort=$port
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/controller.pid
SlurmdPidFile=$folder/%n.pid
SlurmctldLogFile=$folder/controller.log
SlurmdLogFile=$folder/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
KillWait=2
NodeName=n[1-2] NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 2))] CPUs=1
PartitionName=all Nodes=ALL Default=YES State=UP
END
slurmctld
for node in n1 n2; do slurmd -N "$node"; done
for _ in {1..60}; do
  [ "$(sinfo -h -t idle -o %D)" != 2 ] || exit 0
  sleep 0.5
done
echo "error: no two idle nodes within 30 s: look into $folder/*.log" >&2
exit 1
