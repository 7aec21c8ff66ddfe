#!/bin/bash
# Runs a unit of a study on a TPU VM, or deletes the VM:
#   tpu_vm.sh run MACHINE UNIT    |    tpu_vm.sh delete MACHINE
#
# Reads, from the file that it is started with (tpu_vm.env, next to it):
# ZONE, QUEUED, CREATE (flags), SET_UP, ARCHIVE (our code), DIGEST (of the
# contents of both), REMOTE (the study's directory there, '' if the VM writes to
# ours, on a share or in a bucket), ROOT (the study's directory here), COMMANDS
# (unit -> command), FOLDERS (unit -> what it writes under ROOT).
set -uo pipefail
here=$(dirname "$0")
. "$here/tpu_vm.env"
machine=$2
unit=${3:-}

tpu() { gcloud compute tpus "$@" --zone="$ZONE" --quiet; }
on_all() { tpu tpu-vm ssh "$machine" --worker=all --command="$1"; }
state() {
  tpu tpu-vm describe "$machine" --format='value(state)' 2>/dev/null
}

going_on() { [ ! "$stopped" ]; }
pause() { sleep "$SECONDS_BETWEEN_LOOKS"; going_on; }

delete() {
  forget
  if [ "$QUEUED" ]; then
    tpu queued-resources delete "$machine" --force
  else
    tpu tpu-vm delete "$machine"
  fi
}

# What is known about a machine that is no longer there.
forget() { rm -f "$here/$machine.ready" "$here/$machine.unit"; }

# The state of the request for the machine, which may have no machine; '' if
# there is none.
request_state() {
  [ "$QUEUED" ] || return
  tpu queued-resources describe "$machine" --format='value(state.state)' \
    2>/dev/null
}

# Asks for the machine, unless an earlier request is still waiting for it.
request() {
  case $(request_state) in
    '') ;;
    FAILED | SUSPENDED | SUSPENDING) delete || return ;;
    DELETING) pause && request; return ;;
    *) return 0 ;;
  esac
  if [ "$QUEUED" ]; then
    tpu queued-resources create "$machine" --node-id="$machine" $CREATE
  else
    tpu tpu-vm create "$machine" $CREATE
  fi && forget
}

# Asks for the machine and waits for it.
create() {
  request || return
  until [ "$(state)" = READY ]; do
    case $(request_state) in
      FAILED | SUSPENDED | SUSPENDING)
        echo "no machine $machine was given"; return 1 ;;
    esac
    pause || return
  done
}

# Packed folders are emptied first, of modules that are no longer there.
set_up() {
  tpu tpu-vm scp "$ARCHIVE" "$machine:icl_gen.tar.gz" --worker=all &&
    on_all "mkdir -p icl_gen &&
      tar -xzf icl_gen.tar.gz -C icl_gen --recursive-unlink &&
      cd icl_gen && $SET_UP"
}

# A machine that was never made, or that was taken away, is made (again); one
# that was kept is set up again if the code or the set-up is another one.
make_ready() {
  case $(state) in
    READY) ;;
    '') create || return ;;
    *) delete; create || return ;;
  esac
  going_on && finish_earlier && going_on || return
  [ "$(cat "$here/$machine.ready" 2>/dev/null)" = "$DIGEST" ] && return
  rm -f "$here/$machine.ready"
  set_up && echo "$DIGEST" >"$here/$machine.ready"
}

# What the unit has so far, from here to there. A machine that was kept may have
# more, which somebody has deleted here so that it is made again.
send() {
  [ "$REMOTE" ] || return 0
  alone put_back
  on_all "mkdir -p $REMOTE && cd $REMOTE && rm -rf ${FOLDERS[$unit]}" || return
  local there=()
  for folder in ${FOLDERS[$unit]}; do
    [ -e "$ROOT/$folder" ] && there+=("$folder")
  done
  [ ${#there[@]} = 0 ] && return
  tar -czf "$here/$machine.tar.gz" -C "$ROOT" "${there[@]}" &&
    tpu tpu-vm scp "$here/$machine.tar.gz" "$machine:unit.tar.gz" \
      --worker=all &&
    on_all "tar -xzf unit.tar.gz -C $REMOTE"
}

# And back; it may be nothing yet.
fetch() {
  [ "$REMOTE" ] || return 0
  local new="$here/$machine.new"
  rm -rf "$new" && mkdir -p "$new"
  tpu tpu-vm ssh "$machine" --worker=0 --command="
    mkdir -p $REMOTE && cd $REMOTE && ls -d ${FOLDERS[$unit]} 2>/dev/null |
      tar -czf ~/unit.tar.gz --files-from=-" &&
    tpu tpu-vm scp "$machine:unit.tar.gz" "$here/$machine.tar.gz" --worker=0 &&
    tar -xzf "$here/$machine.tar.gz" -C "$new" || return
  alone put_back && alone take_all
}

# Several units may have the same corpus, and two machines have had one unit.
alone() { ( flock 9; "$1" ) 9>"$here/fetch.lock"; }

# Puts what was fetched into its place. A complete corpus stays, and with it the
# settings that it was made with; those of an incomplete one are replaced. They
# come first, so that no corpus is ever here with the settings of another one.
take_all() {
  for folder in ${FOLDERS[$unit]}; do
    [ ! -e "$here/$machine.new/$folder" ] || is_kept "$folder" ||
      take "$folder" || return
  done
  rm -rf "$here/$machine.new" "$here/$unit.old" "$here/$machine.tar.gz"
}

# A corpus is complete as soon as it exists, and other units may be reading it.
is_kept() { [[ $1 = corpora/* && -e $ROOT/${1%.settings} ]]; }

# Folders are renamed, so none is ever half here.
take() {
  mkdir -p "$(dirname "$ROOT/$1")" "$(dirname "$here/$unit.old/$1")"
  [ ! -e "$ROOT/$1" ] || mv -T "$ROOT/$1" "$here/$unit.old/$1" || return
  mv -T "$here/$machine.new/$1" "$ROOT/$1"
}

# Undoes a `take` that was killed between its two steps.
put_back() {
  for folder in ${FOLDERS[$unit]}; do
    [ -e "$ROOT/$folder" ] || [ ! -e "$here/$unit.old/$folder" ] ||
      mv -T "$here/$unit.old/$folder" "$ROOT/$folder"
  done
  rm -rf "$here/$unit.old"
}

# A process outlives its connection: it prints to a file, which is followed.
begin() {
  watch "
    trap '' HUP
    cd icl_gen && [ ! -e unit.stop ] || exit 143
    : >unit.out
    ${COMMANDS[$unit]} >unit.out 2>&1 &
    echo \$! >unit.pid
    [ ! -e unit.stop ] || kill -TERM \$!
    tail -n +1 -f -s 0.2 --pid=\$! unit.out
    wait \$!
    status=\$?
    rm -f unit.pid
    exit \$status"
}

# Waits for processes that a lost connection or a killed launcher left at work.
follow() {
  watch "
    cd icl_gen 2>/dev/null || exit 0
    if $ALIVE; then
      echo \"process \$p is still at work\"
      tail -f -s 0.2 --pid=\$p unit.out
    fi
    rm -f unit.stop"
}

# Numbers of processes are given again, to others.
ALIVE='p=$(cat unit.pid 2>/dev/null) && grep -qs icl_gen.study /proc/$p/cmdline'

# Runs a command on all workers, of which `stop` asks the processes to stop.
watch() {
  watching=1
  going_on || return
  on_all "$1" &
  local job=$! status
  # A trapped signal ends `wait` before the command has ended.
  while true; do
    wait $job
    status=$?
    kill -0 $job 2>/dev/null || break
  done
  watching=
  return $status
}

# Asks the processes, and one that is about to begin, to save their state, and
# waits for them.
stop() {
  stopped=1
  [ ! "$watching" ] || on_all "
    cd icl_gen && touch unit.stop && $ALIVE && kill -TERM \$p &&
      while kill -0 \$p 2>/dev/null; do sleep 0.2; done"
}

# What an earlier unit wrote is fetched, before anything is sent over it.
finish_earlier() {
  local earlier
  follow || return
  earlier=$(cat "$here/$machine.unit" 2>/dev/null) || return 0
  [ ! "${FOLDERS[$earlier]+left}" ] || unit=$earlier fetch || return
  rm "$here/$machine.unit"
}

# One attempt at the unit.
attempt() {
  echo "$unit" >"$here/$machine.unit"
  begin
  local status=$?
  # Where the connection was lost, the processes are at work.
  [ $status = 0 ] || [ "$stopped" ] || follow || return $status
  fetch && rm "$here/$machine.unit" || [ $status != 0 ] || status=1
  return $status
}

run() {
  local status
  while going_on; do
    make_ready && send && going_on || return
    attempt
    status=$?
    [ $status = 0 ] && return
    [ "$(state)" = READY ] && return $status
    going_on && echo "$machine was taken away; making another one"
  done
}

stopped=
watching=
trap stop TERM INT
case $1 in
  run) run; status=$?; going_on || status=143; exit $status ;;
  delete) delete ;;
esac
