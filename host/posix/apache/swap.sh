# shellcheck shell=sh
# From candidates to live files: what is named before what names it, each step one rename on one file system after an fsync.
# After every prefix of the sequence the server can start, because a reboot or a logrotate may come in between.
# `# writes` stands above each function, here and elsewhere, that changes the host or leads from one such change to the next:
# the fault ring ends runs at each of its steps.

# A name of ours is one in our own directory, or an absolute path: that of a timer.
own_path() { case $1 in /*) printf %s "$1" ;; *) printf %s "$own_directory/$1" ;; esac; }

# Beside a timer a name with a dot in front, which neither cron nor systemd reads.
own_stage() { case $1 in /*) printf %s "${1%/*}/.${1##*/}.new" ;; *) printf %s "$stage/$1" ;; esac; }

# $work/swapped lists what is about to be done, written before it is done, for putting back: by us, by the next run, by `undo`.
#   new NAME HASH | replaced NAME HASH | edited N HASH_AFTER PATH | dropped NAME

# writes
prepare_swap() {
  mkdir -p -- "$work/before/own" "$work/before/edit" || fail_no_room
  [ ! -d "$own_directory" ] || cp -a -- "$own_directory/." "$work/before/own/" || fail_no_room
  for name in $(cut -f 2 "$work/own.list") $(dropped); do
    case $name in /*) [ ! -f "$name" ] || cp -a -- "$name" "$work/before/own/" || fail_no_room ;; esac
  done
  while IFS=$tab read -r number _ _ path; do
    cp -a -- "$path" "$work/before/edit/$number" || fail_no_room
  done <"$work/edit.list"
  cp -- "$work/edit.list" "$work/before/edit.list"
  missing_directories "$own_directory" >"$work/made"
  printf '%s\n' "$own_directory" >"$work/directory"
  # Before the first word of what is done: after a power cut there may otherwise be an empty file to put back.
  sync -- "$work"/before/own/* "$work"/before/edit/* "$work"/before/edit.list "$work/made" "$work/directory" \
    "$work/before/own" "$work/before/edit" "$work/before" "$work" "$state" 2>/dev/null
  : >"$work/swapped"
  stage_beside && return
  stage_failure=$stage_failure$(inodes_in_words "$own_directory")
  put_back "$work" && rm -f -- "$work/swapped"
  unreported=''
  fail "${stage_failure%% *}" "${stage_failure#* }"
}

# Where the stage of an edited file lies. In our own directory: no Include names it, and it is on the file system of what is
# replaced. A crontab may be on another one: then beside it, under a name with a dot in front, which cron does not read.
stage_of() { # N PATH
  if is_crontab "$2" && is_elsewhere "$2"; then printf %s "${2%/*}/.clientcert-$instance.$1"; else printf %s "$own_directory/.stage/edit.$1"; fi
}

# writes
remove_stages() { # WORK
  while IFS=$tab read -r number _ _ path; do
    staged=$(stage_of "$number" "$path")
    rm -f -- "$staged" "$staged.before" "$staged.back"
  done <"$1/before/edit.list"
  rm -f -- /etc/cron.d/.clientcert-"$instance".* /etc/systemd/system/.clientcert-"$instance".*
  rm -rf -- "$own_directory/.stage"
}

# writes
stage_beside() {
  stage=$own_directory/.stage
  stage_failure="disk no room for the new files in $own_directory, or it is read-only; nothing was changed"
  # Of a run whose state is gone; none that has its state can be here, for we have the lock.
  rm -rf -- "$stage"
  (umask 022 && mkdir -p -- "$own_directory") 2>/dev/null && mkdir -m 700 -- "$stage" 2>/dev/null || return 1
  [ ! -s "$work/made" ] || label_as "${own_directory%/*}" "$own_directory"
  label_as "$own_directory" "$stage"
  while IFS=$tab read -r role name _; do
    staged=$(own_stage "$name")
    cp -- "$work/own/${name##*/}" "$staged" 2>/dev/null && label_as "${staged%/*}" "$staged" && chmod 644 -- "$staged" && sync -- "$staged" || return 1
  done <"$work/own.list"
  while IFS=$tab read -r number _ after path; do
    # A copy first, then its bytes: owner, mode, ACL, security label and attributes stay.
    staged=$(stage_of "$number" "$path")
    stage_failure="disk no room for the new file in ${staged%/*}, or it is read-only; nothing was changed"
    cp -a -- "$path" "$staged" 2>/dev/null && cat -- "$work/edit/$number" 2>/dev/null >"$staged" || return 1
    [ "$(hash_of "$staged")" = "$after" ] && sync -- "$staged" || return 1
  done <"$work/edit.list"
  sync -- "$stage"
}

# Where the kernel has SELinux: the label that a file of ours would have if an administrator had made it there, whatever is said
# for one that the process of a timer makes. Tried with labels on a kernel that does not enforce them, as there was no other.
label_as() { # DIRECTORY FILE
  [ ! -d /sys/fs/selinux ] || chcon --reference="$1" -- "$2" 2>/dev/null || :
}

missing_directories() { # PATH: those of its directories that do not exist, innermost first
  set -- "$1"
  while [ ! -d "$1" ]; do printf '%s\n' "$1" && set -- "${1%/*}"; done
}

# Removal goes the other way round: first the lines that name us, then our configuration, then the rest.
# writes
swap() {
  if [ "$removal" = yes ]; then
    swap_edits && swap_drops clientcert.conf
  else
    swap_own && swap_edits
  fi
}

# writes
swap_own() {
  while IFS=$tab read -r _ name hash; do
    path=$(own_path "$name")
    [ -f "$path" ] && kind=replaced || kind=new
    # A timer is planned for its owner or mode, too.
    case $name in /*) ;; *) [ "$kind" = new ] || [ "$(hash_of "$path")" != "$hash" ] || continue ;; esac
    note_swap "$kind $name $hash" || return 1
    mv -f -T -- "$(own_stage "$name")" "$path" || return 1
    sync -- "${path%/*}"
  done <"$work/own.list"
}

# writes
note_swap() { printf '%s\n' "$1" >>"$work/swapped" && sync -- "$work/swapped"; }

# writes
swap_edits() {
  while IFS=$tab read -r number before after path; do
    note_swap "edited $number $after $path" || return 1
    staged=$(stage_of "$number" "$path")
    exchange "$staged" "$path" || return 1
    sync -- "${path%/*}"
    # What came out must be what was planned for: an editor may have saved in the last moment.
    if [ "$(hash_of "$staged")" != "$before" ]; then
      exchange "$staged" "$path"
      refuse "$path: changed in the moment of the swap; the other change was kept, run again"
      return 1
    fi
  done <"$work/edit.list"
}

# Both names change places atomically where the host can (coreutils 9.5, util-linux 2.40, or perl); else the window between
# the last look and the rename remains.
# writes
exchange() { # STAGED TARGET
  if mv --exchange -T -- "$1" "$2" 2>/dev/null || exch -- "$1" "$2" 2>/dev/null; then return 0; fi
  case $(uname -m) in x86_64) call=316 ;; aarch64) call=276 ;; *) call='' ;; esac
  [ -n "$call" ] && perl -e 'exit(syscall($ARGV[0], -100, $ARGV[1], -100, $ARGV[2], 2) == 0 ? 0 : 1)' "$call" "$1" "$2" 2>/dev/null && return 0
  cp -a -- "$2" "$1.before" && mv -f -T -- "$1" "$2" && mv -f -T -- "$1.before" "$1"
}

# Files of ours that nothing names any more; the bytes are in $work/before.
# writes
swap_drops() { # NAME…
  for name in "$@"; do
    path=$(own_path "$name")
    [ -f "$path" ] || continue
    note_swap "dropped $name" && rm -f -- "$path" || return 1
  done
  sync -- "$own_directory"
}

# Puts back, last step first, what is still ours; a foreign edit that came later is kept and told. What has no room now is
# put back by the next run. $work/swapped stays until httpd, too, runs on the bytes of before: this can be done again.
# writes
put_back() { # WORK
  awk '{ line[NR] = $0 } END { for (i = NR; i > 0; i--) print line[i] }' "$1/swapped" | {
    is_back=yes
    # Cut by hand: a name may end with a blank, which `read` would take off.
    while IFS= read -r swapped_line; do
      kind=${swapped_line%% *} first=${swapped_line#* } second=${first#* }
      path=${second#* } first=${first%% *} second=${second%% *}
      case $kind in
        new) [ "$(hash_of "$(own_path "$first")")" != "$second" ] || rm -f -- "$(own_path "$first")" ;;
        replaced | dropped) restore_own "$1" "$first" ;;
        edited) restore_edit "$1" "$first" "$second" "$path" ;;
      esac || is_back=no
    done
    [ "$is_back" = yes ]
  }
  put_back_status=$?
  remove_stages "$1"
  [ "$put_back_status" = 0 ] || return 1
  sync -- "$own_directory" 2>/dev/null
  while IFS= read -r directory; do rmdir -- "$directory" 2>/dev/null; done <"$1/made"
  return 0
}

# writes
restore_own() { # WORK NAME
  [ -d "$own_directory" ] || (umask 022 && mkdir -p -- "$own_directory")
  target=$(own_path "$2") && back=${target%/*}/.${target##*/}.back
  cp -a -- "$1/before/own/${2##*/}" "$back" && sync -- "$back" && mv -f -T -- "$back" "$target" && return
  rm -f -- "$back"
  part "reason $target: cannot be put back, is the disk full? Make room; the next run tries again (what it held is in $1/before/own)"
  return 1
}

# writes
restore_edit() { # WORK N HASH_AFTER PATH
  came_out=$(stage_of "$2" "$4")
  if [ "$(hash_of "$4")" = "$3" ] && [ -f "$came_out" ] && [ "$(hash_of "$came_out")" != "$3" ]; then
    # Interrupted between the exchange and the look at what came out: that very file goes back.
    mv -f -T -- "$came_out" "$4" && sync -- "${4%/*}"
  elif [ "$(hash_of "$4")" = "$3" ] || { [ ! -e "$4" ] && [ -d "${4%/*}" ]; }; then
    # The directory of the stages may be gone already.
    case $came_out in "$own_directory"/*) back=$own_directory/.edit.$2.back ;; *) back=$came_out.back ;; esac
    cp -a -- "$1/before/edit/$2" "$back" && sync -- "$back" && mv -f -T -- "$back" "$4" && sync -- "${4%/*}"
  elif [ "$(hash_of "$4")" != "$(hash_of "$1/before/edit/$2")" ]; then
    part "reason $4: was edited by somebody else meanwhile; their change was kept, look at it by hand"
  fi
}
