# shellcheck shell=sh
# Makes live files of the candidates. A file is placed before the file that names it. Each step is one rename on one
# file system, after an fsync. The server can start after each step, because a reboot or a logrotate may come in
# between.
# `# writes` stands above each function, here and elsewhere, that changes the host or leads from one such change to the
# next: the fault ring ends runs at each of its steps.

# Prints the path of a file of ours. Its name in the lists is a name in our own directory, or the absolute path of a
# timer.
# in: own_directory
# sets: nothing
own_path() { case $1 in /*) printf %s "$1" ;; *) printf %s "$own_directory/$1" ;; esac; }

# Prints the path of the stage of a file of ours. The stage of a timer lies beside the timer. Its name begins with a
# dot, so neither cron nor systemd reads it.
own_stage() { case $1 in /*) printf %s "${1%/*}/.${1##*/}.new" ;; *) printf %s "$swap_stage/$1" ;; esac; }

# $work/swapped lists the steps of the swap, each written before it is done. By this list the change is put back: by
# this run, by the next run, or by `undo`. Its lines:
#   new NAME HASH | replaced NAME HASH | edited N HASH_AFTER PATH | dropped NAME

# Prepares a swap: keeps the bytes of before in $work/before, and makes the stages, which are the files to rename. Where
# there is no room, removes what it has made, and ends the run.
# in: instance, own_directory, state, work
# sets: unreported
# writes
prepare_swap() {
  mkdir -p -- "$work/before/own" "$work/before/edit" || fail_no_room
  [ ! -d "$own_directory" ] || cp -a -- "$own_directory/." "$work/before/own/" || fail_no_room
  for swap_name in $(cut -f 2 "$work/own.list") $(dropped); do
    case $swap_name in /*) [ ! -f "$swap_name" ] || cp -a -- "$swap_name" "$work/before/own/" || fail_no_room ;; esac
  done
  while IFS=$tab read -r swap_number _ _ swap_path; do
    cp -a -- "$swap_path" "$work/before/edit/$swap_number" || fail_no_room
  done <"$work/edit.list"
  cp -- "$work/edit.list" "$work/before/edit.list"
  missing_directories "$own_directory" >"$work/made"
  printf '%s\n' "$own_directory" >"$work/directory"
  # These files are synced before the first line of $work/swapped. Otherwise a power cut could leave an empty file,
  # which would be put back.
  sync -- "$work"/before/own/* "$work"/before/edit/* "$work"/before/edit.list "$work/made" "$work/directory" \
    "$work/before/own" "$work/before/edit" "$work/before" "$work" "$state" 2>/dev/null
  : >"$work/swapped"
  stage_beside && return
  swap_failure=$swap_failure$(inodes_in_words "$own_directory")
  put_back "$work" && rm -f -- "$work/swapped"
  unreported=''
  fail "${swap_failure%% *}" "${swap_failure#* }"
}

# Prints where the stage of an edited file lies: in our own directory, which no Include names and which is on the same
# file system as the live file. A crontab may be on another file system. In that case the stage lies beside it, under a
# name with a dot in front, which cron does not read.
stage_of() { # N PATH
  if is_crontab "$2" && is_elsewhere "$2"; then
    printf %s "${2%/*}/.clientcert-$instance.$1"
  else
    printf %s "$own_directory/.stage/edit.$1"
  fi
}

# Removes the stages of a run, and those of crontabs and timers that belong to no run any more.
# in: instance, own_directory
# sets: nothing
# writes
remove_stages() { # WORK
  while IFS=$tab read -r swap_number _ _ swap_path; do
    swap_staged=$(stage_of "$swap_number" "$swap_path")
    rm -f -- "$swap_staged" "$swap_staged.before" "$swap_staged.back"
  done <"$1/before/edit.list"
  rm -f -- /etc/cron.d/.clientcert-"$instance".* /etc/systemd/system/.clientcert-"$instance".*
  rm -rf -- "$own_directory/.stage"
}

# Makes the stage of each file, in our own directory or beside the file. Where it fails, swap_failure has the KIND and
# the text of the error.
# writes
stage_beside() {
  swap_stage=$own_directory/.stage
  swap_failure="disk no room for the new files in $own_directory, or it is read-only; nothing was changed"
  # A stage that is here belongs to a run whose state has gone. No other run can have one here, because we hold the
  # lock.
  rm -rf -- "$swap_stage"
  (umask 022 && mkdir -p -- "$own_directory") 2>/dev/null && mkdir -m 700 -- "$swap_stage" 2>/dev/null || return 1
  [ ! -s "$work/made" ] || label_as "${own_directory%/*}" "$own_directory"
  label_as "$own_directory" "$swap_stage"
  while IFS=$tab read -r swap_role swap_name _; do
    swap_staged=$(own_stage "$swap_name")
    cp -- "$work/own/${swap_name##*/}" "$swap_staged" 2>/dev/null && label_as "${swap_staged%/*}" "$swap_staged" &&
      chmod 644 -- "$swap_staged" && sync -- "$swap_staged" || return 1
  done <"$work/own.list"
  while IFS=$tab read -r swap_number _ swap_after swap_path; do
    # The stage is first a copy of the live file and then gets the new bytes. So owner, mode, ACL, security label and
    # attributes stay.
    swap_staged=$(stage_of "$swap_number" "$swap_path")
    swap_failure="disk no room for the new file in ${swap_staged%/*}, or it is read-only; nothing was changed"
    cp -a -- "$swap_path" "$swap_staged" 2>/dev/null && cat -- "$work/edit/$swap_number" 2>/dev/null >"$swap_staged" ||
      return 1
    [ "$(hash_of "$swap_staged")" = "$swap_after" ] && sync -- "$swap_staged" || return 1
  done <"$work/edit.list"
  sync -- "$swap_stage"
}

# Gives a file of ours the SELinux label that it would have if an administrator had made it in this place, whatever the
# policy says about files that a timer's process makes. Does so only where the kernel has SELinux. This was tried with
# labels on a kernel that does not enforce them, because no other kernel was available.
label_as() { # DIRECTORY FILE
  [ ! -d /sys/fs/selinux ] || chcon --reference="$1" -- "$2" 2>/dev/null || :
}

# Prints those directories of a path that do not exist, innermost first.
missing_directories() { # PATH
  set -- "$1"
  while [ ! -d "$1" ]; do printf '%s\n' "$1" && set -- "${1%/*}"; done
}

# Places our files, and then the lines that name them. A removal takes out the lines first, then clientcert.conf; our
# other files are dropped by the caller, once the change is healthy. Fails at the first step that fails.
# in: instance, own_directory, removal, work
# sets: nothing
# writes
swap() {
  if [ "$removal" = yes ]; then
    swap_edits && swap_drops clientcert.conf
  else
    swap_own && swap_edits
  fi
}

# Places our files, each by one rename, but for those that already have the right bytes.
# writes
swap_own() {
  while IFS=$tab read -r _ swap_name swap_hash; do
    swap_path=$(own_path "$swap_name")
    [ -f "$swap_path" ] && swap_kind=replaced || swap_kind=new
    # A timer may be replaced for its owner or mode alone, so equal bytes do not skip it.
    case $swap_name in
      /*) ;;
      *) [ "$swap_kind" = new ] || [ "$(hash_of "$swap_path")" != "$swap_hash" ] || continue ;;
    esac
    note_swap "$swap_kind $swap_name $swap_hash" || return 1
    mv -f -T -- "$(own_stage "$swap_name")" "$swap_path" || return 1
    sync -- "${swap_path%/*}"
  done <"$work/own.list"
}

# Adds a step to the list of the swap, before the step is done.
# writes
note_swap() { printf '%s\n' "$1" >>"$work/swapped" && sync -- "$work/swapped"; }

# Places the edited files. After the exchange the stage has the bytes of before. Refuses the change and fails where
# these are not the bytes that it was planned for; that file is exchanged again.
# writes
swap_edits() {
  while IFS=$tab read -r swap_number swap_before swap_after swap_path; do
    note_swap "edited $swap_number $swap_after $swap_path" || return 1
    swap_staged=$(stage_of "$swap_number" "$swap_path")
    exchange "$swap_staged" "$swap_path" || return 1
    sync -- "${swap_path%/*}"
    # The file that came out must have the bytes that the change was planned for: an editor may have saved in the last
    # moment.
    if [ "$(hash_of "$swap_staged")" != "$swap_before" ]; then
      exchange "$swap_staged" "$swap_path"
      refuse "$swap_path: changed in the moment of the swap; the other change was kept, run again"
      return 1
    fi
  done <"$work/edit.list"
}

# Makes both names change places atomically where the host can do so (coreutils 9.5, util-linux 2.40, or perl).
# Elsewhere it is done by a copy and two renames, and an edit between the last check and the rename is lost.
# writes
exchange() { # STAGED TARGET
  if mv --exchange -T -- "$1" "$2" 2>/dev/null || exch -- "$1" "$2" 2>/dev/null; then return 0; fi
  # The numbers are those of the system call renameat2. -100 is AT_FDCWD, and 2 is RENAME_EXCHANGE.
  case $(uname -m) in x86_64) swap_call=316 ;; aarch64) swap_call=276 ;; *) swap_call='' ;; esac
  [ -n "$swap_call" ] &&
    perl -e 'exit(syscall($ARGV[0], -100, $ARGV[1], -100, $ARGV[2], 2) == 0 ? 0 : 1)' \
      "$swap_call" "$1" "$2" 2>/dev/null && return 0
  cp -a -- "$2" "$1.before" && mv -f -T -- "$1" "$2" && mv -f -T -- "$1.before" "$1"
}

# Removes files of ours that no file names any more. Their bytes are in $work/before.
# in: own_directory, work
# sets: nothing
# writes
swap_drops() { # NAME…
  for swap_name in "$@"; do
    swap_path=$(own_path "$swap_name")
    [ -f "$swap_path" ] || continue
    note_swap "dropped $swap_name" && rm -f -- "$swap_path" || return 1
  done
  sync -- "$own_directory"
}

# Puts back what is still ours, last step first. A later edit by somebody else is kept and reported. Fails where a file
# has no room now; the next run puts it back. $work/swapped stays until httpd runs on the bytes of before, too, because
# this function can be run again.
# in: instance, own_directory
# sets: nothing
# writes
put_back() { # WORK
  awk '{ line[NR] = $0 } END { for (i = NR; i > 0; i--) print line[i] }' "$1/swapped" | {
    swap_is_back=yes
    # The line is cut by hand: a name may end with a blank, which `read` would remove.
    while IFS= read -r swap_line; do
      swap_kind=${swap_line%% *} swap_first=${swap_line#* } swap_second=${swap_first#* }
      swap_path=${swap_second#* } swap_first=${swap_first%% *} swap_second=${swap_second%% *}
      case $swap_kind in
        new) [ "$(hash_of "$(own_path "$swap_first")")" != "$swap_second" ] || rm -f -- "$(own_path "$swap_first")" ;;
        replaced | dropped) restore_own "$1" "$swap_first" ;;
        edited) restore_edit "$1" "$swap_first" "$swap_second" "$swap_path" ;;
      esac || swap_is_back=no
    done
    [ "$swap_is_back" = yes ]
  }
  swap_status=$?
  remove_stages "$1"
  [ "$swap_status" = 0 ] || return 1
  sync -- "$own_directory" 2>/dev/null
  while IFS= read -r swap_directory; do rmdir -- "$swap_directory" 2>/dev/null; done <"$1/made"
  return 0
}

# Puts a file of ours back, by a copy beside it and a rename. Fails with a reason where there is no room.
# writes
restore_own() { # WORK NAME
  [ -d "$own_directory" ] || (umask 022 && mkdir -p -- "$own_directory")
  swap_target=$(own_path "$2") && swap_back=${swap_target%/*}/.${swap_target##*/}.back
  cp -a -- "$1/before/own/${2##*/}" "$swap_back" && sync -- "$swap_back" && mv -f -T -- "$swap_back" "$swap_target" &&
    return
  rm -f -- "$swap_back"
  part "reason $swap_target: cannot be put back, is the disk full? Make room; the next run tries again (what it held is in $1/before/own)"
  return 1
}

# Puts an edited file back where it still has the bytes of the change, or where it is missing. A file that has the bytes
# of before needs nothing. Any other file was edited by somebody else, and is reported. Fails where there is no room.
# writes
restore_edit() { # WORK N HASH_AFTER PATH
  swap_came_out=$(stage_of "$2" "$4")
  if [ "$(hash_of "$4")" = "$3" ] && [ -f "$swap_came_out" ] && [ "$(hash_of "$swap_came_out")" != "$3" ]; then
    # The run was interrupted between the exchange and the check of what came out. The file that came out goes back.
    mv -f -T -- "$swap_came_out" "$4" && sync -- "${4%/*}"
  elif [ "$(hash_of "$4")" = "$3" ] || { [ ! -e "$4" ] && [ -d "${4%/*}" ]; }; then
    # The directory of the stages may have gone already.
    case $swap_came_out in
      "$own_directory"/*) swap_back=$own_directory/.edit.$2.back ;;
      *) swap_back=$swap_came_out.back ;;
    esac
    cp -a -- "$1/before/edit/$2" "$swap_back" && sync -- "$swap_back" && mv -f -T -- "$swap_back" "$4" &&
      sync -- "${4%/*}"
  elif [ "$(hash_of "$4")" != "$(hash_of "$1/before/edit/$2")" ]; then
    part "reason $4: was edited by somebody else meanwhile; their change was kept, look at it by hand"
  fi
}
