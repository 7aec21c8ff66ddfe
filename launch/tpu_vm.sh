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

delete() {
  rm -f "$here/$machine.ready"
  if [ "$QUEUED" ]; then
    tpu queued-resources delete "$machine" --force
  else
    tpu tpu-vm delete "$machine"
  fi
}

# Asks for the machine and waits for it.
create() {
  if [ "$QUEUED" ]; then
    tpu queued-resources create "$machine" --node-id="$machine" $CREATE || return
  else
    tpu tpu-vm create "$machine" $CREATE || return
  fi
  until [ "$(state)" = READY ]; do
    if [ "$QUEUED" ]; then
      case $(tpu queued-resources describe "$machine" \
        --format='value(state.state)') in
        FAILED | SUSPENDED) echo "no machine $machine was given"; return 1 ;;
      esac
    fi
    sleep "$SECONDS_BETWEEN_LOOKS"
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
  [ "$(cat "$here/$machine.ready" 2>/dev/null)" = "$DIGEST" ] &&
    [ "$(state)" = READY ] && return
  rm -f "$here/$machine.ready"
  case $(state) in
    READY) ;;
    '') create || return ;;
    *) delete; create || return ;;
  esac
  set_up && echo "$DIGEST" >"$here/$machine.ready"
}

# What the unit has so far, from here to there.
send() {
  [ "$REMOTE" ] || return 0
  put_back
  local there=()
  for folder in ${FOLDERS[$unit]}; do
    [ -e "$ROOT/$folder" ] && there+=("$folder")
  done
  [ ${#there[@]} = 0 ] && return
  tar -czf "$here/$unit.tar.gz" -C "$ROOT" "${there[@]}" &&
    tpu tpu-vm scp "$here/$unit.tar.gz" "$machine:unit.tar.gz" --worker=all &&
    on_all "mkdir -p $REMOTE && tar -xzf unit.tar.gz -C $REMOTE"
}

# And back.
fetch() {
  [ "$REMOTE" ] || return 0
  put_back
  local new="$here/$unit.new"
  rm -rf "$new" && mkdir -p "$new"
  tpu tpu-vm ssh "$machine" --worker=0 --command="cd $REMOTE &&
    tar -czf ~/unit.tar.gz \$(ls -d ${FOLDERS[$unit]} 2>/dev/null)" &&
    tpu tpu-vm scp "$machine:unit.tar.gz" "$here/$unit.tar.gz" --worker=0 &&
    tar -xzf "$here/$unit.tar.gz" -C "$new" || return
  # Several units may have the same corpus.
  ( flock 9; take_all ) 9>"$here/fetch.lock"
}

# Puts what was fetched into its place. A complete corpus stays, and with it the
# settings that it was made with; those of an incomplete one are replaced. They
# come first, so that no corpus is ever here with the settings of another one.
take_all() {
  for folder in ${FOLDERS[$unit]}; do
    [ ! -e "$here/$unit.new/$folder" ] || is_kept "$folder" ||
      take "$folder" || return
  done
  rm -rf "$here/$unit.new" "$here/$unit.old" "$here/$unit.tar.gz"
}

# A corpus is complete as soon as it exists, and other units may be reading it.
is_kept() { [[ $1 = corpora/* && -e $ROOT/${1%.settings} ]]; }

# Folders are renamed, so none is ever half here.
take() {
  mkdir -p "$(dirname "$ROOT/$1")" "$(dirname "$here/$unit.old/$1")"
  [ ! -e "$ROOT/$1" ] || mv -T "$ROOT/$1" "$here/$unit.old/$1" || return
  mv -T "$here/$unit.new/$1" "$ROOT/$1"
}

# Undoes a `take` that was killed between its two steps.
put_back() {
  for folder in ${FOLDERS[$unit]}; do
    [ -e "$ROOT/$folder" ] || [ ! -e "$here/$unit.old/$folder" ] ||
      mv -T "$here/$unit.old/$folder" "$ROOT/$folder"
  done
  rm -rf "$here/$unit.old"
}

# Asks the processes to save their state, and waits for them.
stop() {
  stopped=1
  on_all 'p=$(cat icl_gen/unit.pid) && kill -TERM $p &&
    while kill -0 $p 2>/dev/null; do sleep 0.2; done'
}

run() {
  while true; do
    make_ready && send || return
    on_all "cd icl_gen && { ${COMMANDS[$unit]} & echo \$! >unit.pid; wait \$!; }" &
    # A trapped signal ends `wait` before the command has ended.
    while true; do
      wait $!
      status=$?
      kill -0 $! 2>/dev/null || break
    done
    fetch || [ "$status" != 0 ] || status=1
    [ "$stopped" ] && return 143
    [ "$status" = 0 ] && return
    [ "$(state)" = READY ] && return $status
    echo "$machine was taken away; making another one"
  done
}

stopped=
trap stop TERM INT
case $1 in
  run) run ;;
  delete) delete ;;
esac
