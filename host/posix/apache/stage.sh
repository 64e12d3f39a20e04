# shellcheck shell=sh
# Makes candidate files in the work directory from the request: $work/own/NAME and $work/edit/N. Their lists are
# $work/own.list (role, name, hash) and $work/edit.list (N, hash before, hash after, path), separated by tabs.

stage_refused=''

# Reports a reason against the change. The run goes on to find further reasons, and then ends as refused.
# in: nothing
# sets: stage_refused
refuse() { # TEXT…
  part "reason $*"
  stage_refused=yes
}

# Prints the SHA-256 of a file, and nothing where it cannot be read.
# in: nothing
# sets: nothing
hash_of() { # FILE
  set -- "$(sha256sum <"$1" 2>/dev/null)"
  printf %s "${1%% *}"
}

# Reads our files from standard input, in the order of the manifest, and then the probes. Ends the run where a file does
# not have the hash of the manifest.
# in: manifest, work
# sets: nothing
receive_own_files() {
  mkdir -p -- "$work/own" "$work/edit"
  : >"$work/own.list"
  while IFS=' ' read -r stage_role stage_name stage_hash stage_size <&3; do
    [ -n "$stage_role" ] || continue
    head -c "$stage_size" >"$work/own/${stage_name##*/}"
    [ "$(hash_of "$work/own/${stage_name##*/}")" = "$stage_hash" ] || fail cut "the bytes of $stage_name arrived incomplete or the disk is full; nothing was changed"
    printf '%s\t%s\t%s\n' "$stage_role" "$stage_name" "$stage_hash" >>"$work/own.list"
  done 3<<EOF
$(printf '%s' "$manifest" | sed -n 's/^own //p')
EOF
  receive_probes
}

# Reads the probe certificates, which follow all other bytes. Ends the run where one does not have its hash.
receive_probes() {
  mkdir -p -- "$work/probes"
  while IFS=' ' read -r stage_name stage_hash stage_size <&3; do
    [ -n "$stage_name" ] || continue
    head -c "$stage_size" >"$work/probes/$stage_name"
    [ "$(hash_of "$work/probes/$stage_name")" = "$stage_hash" ] || fail cut 'the bytes of a probe certificate arrived incomplete or the disk is full; nothing was changed'
  done 3<<EOF
$(printf '%s' "$manifest" | sed -n 's/^probe //p')
EOF
}

# Makes the candidates of the customer's files. A candidate is the live file with our splices. It is made only where the
# live file still has the bytes that the change was planned for. Sets returning to yes where lines of the customer come
# back.
# in: manifest, removal, run_loaded_files, work
# sets: returning, stage_refused
build_candidates() {
  : >"$work/edit.list"
  stage_number=0
  while IFS= read -r stage_edit; do
    [ -n "$stage_edit" ] || continue
    stage_number=$((stage_number + 1))
    build_candidate "${stage_edit%% *}" "${stage_edit#* }"
  done <<EOF
$(printf '%s' "$manifest" | sed -n 's/^edit //p')
EOF
  ! brings_lines_back || returning=yes
}

# Checks whether the change puts lines of the administrator in force again. They may keep people out, so a virtual host
# may then answer more strictly than before (compare.sh). A removal takes out our lines, and with them what overruled an
# SSLVerifyClient of the administrator. And a file may get back lines that an adoption commented out: all of them at a
# removal, or those that a newer build leaves alone.
brings_lines_back() {
  if [ "$removal" = yes ] && requires_certificates; then return 0; fi
  while IFS=$tab read -r stage_number _ _ stage_path; do
    is_loaded "$stage_path" || continue
    stage_adopted_before=$(inside cat -- "$stage_path" | count_adopted)
    stage_adopted_after=$(count_adopted <"$work/edit/$stage_number")
    [ "$stage_adopted_after" -ge "$stage_adopted_before" ] || return 0
  done <"$work/edit.list"
  return 1
}

# Checks whether a loaded SSLVerifyClient may require certificates. No line of ours does so. A line counts unless its
# word is none, off or optional: the word may be `on` or a variable. Where such a line is not in force after all, asking
# the server costs a little more.
requires_certificates() (
  set -f && IFS=$nl
  # shellcheck disable=SC2086
  inside grep -haiE '^[[:blank:]]*"?SSLVerifyClient"?[[:blank:]]' -- $run_loaded_files 2>/dev/null |
    grep -qaviE "SSLVerifyClient\"?[[:blank:]]+[\"']?(none|off|optional)"
)

# A filter that counts the lines which an adoption has commented out.
count_adopted() { grep -ca '^#clientcert-adopted# '; }

# Makes the candidate of one file from its splices, and its line of edit.list. Refuses the change where the live file no
# longer has this hash. Descriptor 6 stands where the part of the live file ends that is already copied.
build_candidate() { # HASH PATH
  stage_candidate=$work/edit/$stage_number stage_read_from=inside
  # A file that httpd does not load (a crontab) may be missing in the mount namespace of httpd.
  is_loaded "$2" || stage_read_from=
  if ! $stage_read_from test -f "$2" || [ "$($stage_read_from cat -- "$2" | sha256sum | cut -c 1-64)" != "$1" ]; then
    refuse "$2: changed since it was looked at; run again to plan for what it holds now"
    return 0
  fi
  $stage_read_from cat -- "$2" >"$work/live"
  : >"$stage_candidate"
  exec 6<"$work/live"
  while IFS=' ' read -r stage_length stage_kept stage_insert; do
    if [ -n "$stage_kept" ]; then
      copy_run "$stage_length" "$stage_kept" "$stage_insert"
    else
      stage_size=$stage_length
    fi
  done <<EOF
$(splice_runs)
EOF
  cat <&6 >>"$stage_candidate"
  exec 6<&-
  [ "$(wc -c <"$stage_candidate")" -eq "$stage_size" ] || fail disk "no room for the candidate of $2; nothing was changed"
  rm -f -- "$work/live"
  printf '%s\t%s\t%s\t%s\n' "$stage_number" "$1" "$(hash_of "$stage_candidate")" "$2" >>"$work/edit.list"
}

# Prints the splices of one file as runs. A run is a sequence of pieces of the live file, each followed by the same
# insertion. Each run is a line: the number of bytes that it takes from the live file; which of these are kept, as
# ranges for `cut` (1-5,9-12) or, for a single piece, as the number of the first bytes; and the insertion in Base64,
# which may be empty. The last line is the size of the candidate.
splice_runs() {
  # stage_most is the largest number of pieces in a run.
  stage_live_bytes=$(wc -c <"$work/live") stage_most=1
  # One `cut` makes a whole run. One process for each piece would cost a second with 500 virtual hosts. `cut` counts
  # bytes from the last NUL on, but before coreutils 8.25 from the last line end.
  [ "$(printf '1\n2' | cut -z -b 1-1,2-3 --output-delimiter=: 2>/dev/null | tr '\0' .)" = "1:${nl}2." ] &&
    [ "$(tr -d '\0' <"$work/live" | wc -c)" -eq "$stage_live_bytes" ] && stage_most=1000
  printf '%s' "$manifest" | awk -v number="$stage_number" -v size="$stage_live_bytes" -v most="$stage_most" '
    function bytes(encoded) { return length(encoded) / 4 * 3 - (encoded ~ /=$/) - (encoded ~ /==$/) }
    # The lines are `splice OFFSET LENGTH BASE64`: the bytes there give way to the insertion. A comparison with `$4 ""`
    # is one of texts, never of numbers. A piece without kept bytes has a run of its own, because no range of cut is
    # empty.
    function end_run() { if (pieces) print end - start, (pieces > 1 ? ranges : kept), insert; pieces = 0; start = end }
    $1 == "edit" { edits++ }
    $1 == "splice" && edits == number {
      if (pieces && ($4 "" != insert || pieces == most || $2 == end || kept == 0)) end_run()
      ranges = (pieces++ ? ranges "," : "") (end - start + 1) "-" ($2 - start)
      kept = $2 - end; end = $2 + $3; insert = $4 ""
      size += bytes($4) - $3
    }
    END { end_run(); print size }'
}

# Appends one run to the candidate: its pieces of the live file, and the insertion behind each. `cut` puts the insertion
# between the pieces, and a zero byte at the end, which is removed. GNU head reads exactly the bytes that it is asked
# for, so the descriptor stands at the right place for the next run.
copy_run() { # LENGTH KEPT BASE64
  # The shell drops line ends at the end of an output, so a dot is printed behind them.
  stage_decoded=$(printf %s "$3" | base64 -d && printf .) && stage_decoded=${stage_decoded%.}
  case $2 in
    *-*) head -c "$1" <&6 | cut -z -b "$2" ${stage_decoded:+--output-delimiter="$stage_decoded"} | head -c -1 ;;
    *) head -c "$2" <&6 && head -c "$(($1 - $2))" <&6 >/dev/null ;;
  esac >>"$stage_candidate"
  printf %s "$stage_decoded" >>"$stage_candidate"
}

# Refuses the change for whatever would make a rename fail half-way or change more than the file itself, before any live
# file is changed.
# in: own_directory, parent, quoting_mount_path, run_loaded_files, work
# sets: stage_refused
check_targets() {
  check_timer_targets
  [ ! -L "$own_directory" ] || refuse "$own_directory: is a link; make it a directory, or delete it"
  # shellcheck disable=SC3013 # dash and busybox ash have -ef.
  while IFS=$tab read -r _ _ _ stage_path; do
    if [ -L "$stage_path" ] || [ ! -f "$stage_path" ]; then
      refuse "$stage_path: is no regular file"
    elif [ "$(stat -c %h -- "$stage_path")" != 1 ]; then
      refuse "$stage_path: has more than one hard link; a rename would part them, so remove the other link first"
    elif [ "$(mount_point_above "$stage_path")" = "$stage_path/" ]; then
      refuse "$stage_path: is a mount point, which cannot be replaced; edit the file that is mounted there"
    elif [ -n "$parent" ] && is_loaded "$stage_path" && ! [ "$stage_path" -ef "/proc/$parent/root$stage_path" ]; then
      refuse "$stage_path: httpd sees another file under this name than the administrator does"
    elif lsattr -d -- "$stage_path" 2>/dev/null | awk '$1 ~ /[ia]/ { found = 1 } END { exit !found }'; then
      refuse "$stage_path: has the immutable or append-only attribute; remove it with chattr first"
    elif is_elsewhere "$stage_path" && ! is_crontab "$stage_path"; then
      refuse "$stage_path: is mounted from elsewhere than $own_directory, so it cannot be replaced atomically"
    fi
  done <"$work/edit.list"
}

# Refuses the change where a timer, which has an absolute name in own.list, cannot be placed: its directory is missing,
# or what stands in its place is no regular file. A link there means that somebody does not want it to run (systemctl
# mask).
check_timer_targets() {
  while IFS=$tab read -r _ stage_name _; do
    case $stage_name in /*) ;; *) continue ;; esac
    [ -d "${stage_name%/*}" ] || refuse "${stage_name%/*}: does not exist; is cron installed?"
    [ ! -L "$stage_name" ] && { [ ! -e "$stage_name" ] || [ -f "$stage_name" ]; } ||
      refuse "$stage_name: is no regular file; remove it first"
  done <"$work/own.list"
}

# Checks whether httpd loads a file. A recovery does not know the loaded files, so no file counts as loaded there. This
# does no harm, because the stage of a loaded file never lies beside the file.
is_loaded() { # PATH
  case $nl${run_loaded_files:-}$nl in *"$nl$1$nl"*) return 0 ;; *) return 1 ;; esac
}

# Checks whether only cron reads this path. Where httpd loads a file from there, its stage must not lie beside it,
# because an Include might take the stage.
# in: run_loaded_files
# sets: nothing
is_crontab() { # PATH
  case $1 in /etc/crontab | /etc/cron.d/* | /var/spool/cron/*) ! is_loaded "$1" ;; *) return 1 ;; esac
}

# Checks whether a path is on another file system or mount than our own directory, so that no rename leads from there to
# it.
# in: own_directory, quoting_mount_path
# sets: nothing
is_elsewhere() { # PATH
  set -- "${1%/*}" "$(nearest_directory "$own_directory")"
  [ "$(stat -c %d -- "$1")" != "$(stat -c %d -- "$2")" ] || [ "$(mount_point_of "$1")" != "$(mount_point_of "$2")" ]
}

# Prints the mount point that holds a directory. A directory that is mounted at a second place is on the same device,
# but no rename leads from one place to the other. `mv` would copy, and a file that is being copied is neither the old
# one nor the new one.
mount_point_of() { mount_point_above "$(realpath -- "$1")"; } # DIRECTORY

# Prints the mount point that holds a path, with a slash at its end. The path itself may be one.
mount_point_above() { # RESOLVED_PATH
  path=$1 awk "$quoting_mount_path"'
    BEGIN { path = ENVIRON["path"] "/" }
    { point = ($5 == "/" ? "/" : mount_path($5) "/") }
    index(path, point) == 1 { found = point } # a later one hides those below it
    END { print found }' /proc/self/mountinfo
}

# Prints the path where it is a directory, else the nearest directory above it that exists.
# in: nothing
# sets: nothing
nearest_directory() { # PATH
  set -- "$1"
  while [ ! -d "$1" ]; do set -- "${1%/*}"; done
  printf %s "${1:-/}"
}
