# shellcheck shell=sh
# The shadow start: the real httpd starts on the candidate in namespaces of its own. It sees a view of this whole host
# in which every write vanishes. What it does to files, ports, logs and sockets has no effect on the host.

# shadow live|candidate: starts a shadow and writes $work/shadow.WHICH, which holds `up` or `down`, the answers, and
# httpd's own words. A shadow that is not done at the deadline counts as `down`. It returns 3 where the host allows no
# namespaces. The shadow ends with this process, because it reads a pipe (5) that only this process holds open.
# in: arguments, deadline_seconds, enter, parent, program, run_pid_file, run_umask, script, server_environment,
#   server_work_directory, work
# sets: nothing
shadow() {
  rm -f -- "$work/alive"
  mkfifo -- "$work/alive"
  # The program is given as a file: the kernel takes at most 128 KiB for one argument or variable, and this program is
  # longer.
  [ -f "$work/program" ] || printf '%s\n' "$script" >"$work/program"
  exec 5<>"$work/alive"
  (
    exec 5>&-
    # The program inside takes these variables from its environment. process_start tells is_apart when the shadow began.
    read_process self
    export process_start work run_umask program arguments server_work_directory server_environment run_pid_file \
      run_log_files mark tab nl returning baseline
    cd /
    # The shadow gets the work directory as 9, our namespaces as 8 and those of httpd as 7. They are opened by the
    # redirections of the command: mksh would not hand on those that `exec` alone opens.
    # shellcheck disable=SC2086
    exec $enter unshare --kill-child=KILL --mount --net --ipc --uts --pid --fork --mount-proc --propagation private \
      timeout -k 1 "$deadline_seconds" /bin/sh /proc/self/fd/9/program shadow_outside_view \
        "$1" 9<"$work" 8<"/proc/$$/ns" 7<"/proc/${parent:-$$}/ns"
  ) </dev/null >"$work/shadow.$1" 2>"$work/shadow.errors"
  shadow_status=$?
  exec 5>&-
  grep -q '^begun$' "$work/shadow.$1" || return 3
  case $shadow_status in
    # `timeout` ended the shadow (124), or had to kill it (137).
    124 | 137) printf 'down\nwords\nno answer within %s seconds\n' "$deadline_seconds" >"$work/shadow.$1" ;;
  esac
}

# Runs in the new namespaces, while the root is still the one of the host. Builds the view and the network, and goes on
# in the view as shadow_inside_view. Prints `begun` once that can be done, and fails without it where it cannot.
# in: process_start, quoting_mount_path, work
# sets: shadow_lacking
shadow_outside_view() { # live|candidate
  is_apart || { echo 'unshare did not make all of them' >&2 && return 3; }
  exec 8<&- 7<&-
  # Only the process that waits for the shadow holds the other end of the pipe. When that process is killed, this read
  # ends, and everything in the shadow is killed.
  ( read -r _ </proc/self/fd/9/alive; kill -KILL -1 ) &
  trap 'exit 1' TERM
  build_view || return 3
  ip link set lo up
  # The resolver asks for names only where there is an address besides loopback. These two addresses belong to nobody
  # (RFC 5737, RFC 3849).
  { ip addr add 192.0.2.1/32 dev lo && ip addr add 2001:db8::1/128 dev lo; } 2>/dev/null || :
  # httpd may then listen on addresses that this network does not have.
  for shadow_family in ipv4 ipv6; do
    echo 1 2>/dev/null >"/proc/sys/net/$shadow_family/ip_nonlocal_bind" || :
  done
  echo begun
  export shadow_lacking
  exec chroot /sys/root /bin/sh /proc/self/fd/9/program shadow_inside_view "$1"
}

# Proves that the namespaces are new, before anything is done in them. Where unshare did less than it was asked for,
# these would be the processes, file systems and addresses of the host. A new namespace is neither ours (8) nor httpd's
# (7), and its first process is not older than the shadow.
is_apart() {
  shadow_began=$process_start
  for shadow_namespace in pid mnt net; do
    for shadow_other in 8 7; do
      shadow_other=/proc/self/fd/$shadow_other/$shadow_namespace
      # shellcheck disable=SC3013 # dash and busybox ash have -ef.
      [ -e "$shadow_other" ] && [ -e "/proc/self/ns/$shadow_namespace" ] &&
        ! [ "$shadow_other" -ef "/proc/self/ns/$shadow_namespace" ] || return 1
    done
  done
  read_process 1 && [ "$process_start" -ge "$shadow_began" ]
}

# Builds the view of this host under /sys/root, and fails where that cannot be done. A tmpfs over /sys of this namespace
# holds all writes, so no directory is left on the host. shadow_lacking gets the mount points that the view does not
# have, one a line.
build_view() {
  # A line of mountinfo has optional fields from the seventh one on. They end at `-`, and the type follows.
  shadow_mounts=$(awk '{ for (i = 7; $i != "-"; i++); print $(i + 1) "\t" $5 }' /proc/self/mountinfo |
    sort -t "$tab" -u -k 2,2)
  mount -t tmpfs -o mode=700 tmpfs /sys && mkdir /sys/root || return 1
  shadow_count=0 shadow_lacking=''
  while IFS=$tab read -r shadow_type shadow_point; do
    # mountinfo writes a blank as \040.
    shadow_point=$(printf '%b' "$shadow_point")
    case $shadow_point in /proc | /proc/* | /sys | /sys/* | /dev | /dev/*) continue ;; esac
    # A file server that does not answer would hang this process. So the type of a mount decides, and the mount is not
    # touched.
    case $shadow_type in
      nfs* | cifs | smb* | fuse* | autofs | afs | ceph | 9p)
        shadow_lacking=$shadow_lacking$nl$shadow_point && continue
        ;;
    esac
    shadow_count=$((shadow_count + 1))
    view_of "$shadow_point" 2>/dev/null ||
      { [ "$shadow_point" != / ] && shadow_lacking=$shadow_lacking$nl$shadow_point; } || return 1
  done <<EOF
$shadow_mounts
EOF
  build_devices
  bind_candidates
  mount -t proc proc /sys/root/proc && { mount -t sysfs -o ro sysfs /sys/root/sys 2>/dev/null || :; }
}

# Mounts into the view what the host has at a mount point: a directory as an overlay, in which all writes vanish, or
# else read-only; a file as a copy. Fails where none of these can be done.
view_of() { # MOUNT_POINT
  [ "$1" = / ] && shadow_target=/sys/root || shadow_target=/sys/root$1
  if [ ! -d "$1" ]; then
    cp -p -- "$1" "/sys/file$shadow_count" && mount --bind "/sys/file$shadow_count" "$shadow_target"
    return
  fi
  mkdir -- "/sys/upper$shadow_count" "/sys/work$shadow_count"
  # The top directory of the view takes its owner and mode from the upper directory.
  chown --reference="$1" -- "/sys/upper$shadow_count" && chmod --reference="$1" -- "/sys/upper$shadow_count"
  case $1 in
    # These characters cannot stand in a path among the options of an overlay.
    *[:,\\]*) ;;
    *)
      mount -t overlay -o "lowerdir=$1,upperdir=/sys/upper$shadow_count,workdir=/sys/work$shadow_count" overlay \
        "$shadow_target" && return
      ;;
  esac
  mount --bind "$1" "$shadow_target" && mount -o remount,bind,ro "$shadow_target" && is_read_only "$shadow_target" ||
    { umount "$shadow_target"; return 1; }
}

# Checks whether a mount really is read-only: util-linux before 2.27 silently ignores `ro` on a bind mount.
is_read_only() { # MOUNT_POINT
  point=$1 awk "$quoting_mount_path"'
    mount_path($5) == ENVIRON["point"] { options = $6 }
    END { exit options !~ /(^|,)ro(,|$)/ }' /proc/self/mountinfo
}

# Binds the work directory into the view, read-only, so that place_candidate need not copy the candidates. Does nothing
# where httpd's mount namespace has something else under its name. Errors are not shown: the candidates are copied then.
bind_candidates() {
  # shellcheck disable=SC3013 # dash and busybox ash have -ef.
  [ "$work" -ef /proc/self/fd/9 ] || return 0
  mkdir /sys/root/dev/candidates && mount --bind "$work" /sys/root/dev/candidates &&
    mount -o remount,bind,ro /sys/root/dev/candidates
} 2>/dev/null

# Makes a /dev for the view with the few devices that httpd needs, and with terminals and shared memory of its own.
build_devices() {
  mount -t tmpfs -o mode=755 tmpfs /sys/root/dev
  for shadow_device in null zero full random urandom tty; do
    : >"/sys/root/dev/$shadow_device" && mount --bind "/dev/$shadow_device" "/sys/root/dev/$shadow_device"
  done
  mkdir /sys/root/dev/pts /sys/root/dev/shm
  mount -t devpts -o newinstance,ptmxmode=666 devpts /sys/root/dev/pts
  mount -t tmpfs -o mode=1777 tmpfs /sys/root/dev/shm
  ln -s pts/ptmx /sys/root/dev/ptmx
  for shadow_number in 0:stdin 1:stdout 2:stderr; do
    ln -s "/proc/self/fd/${shadow_number%:*}" "/sys/root/dev/${shadow_number#*:}"
  done
  ln -s /proc/self/fd /sys/root/dev/fd
}

# Runs with the view as its root: starts httpd, and prints `up` and its answers, or `down` (on the live files with what
# would end a reload), then the words of httpd. The candidates are put in place only here, because before that an
# absolute symlink would lead to the real host.
# in: run_log_files, run_pid_file
# sets: asks_probes, enter, parent
shadow_inside_view() { # live|candidate
  [ "$1" = live ] || { place_candidates && asks_probes=yes; }
  empty_logs
  rm -f -- "$run_pid_file"
  add_names
  # shellcheck disable=SC3045 # dash and busybox ash have -c.
  ulimit -c 0
  parent=shadow enter='' shadow_which=$1
  set -- /proc/[0-9]*
  shadow_before=" $* "
  httpd -k start >/dev/shm/words 2>&1 &
  shadow_starter=$!
  if wait_for_start; then
    echo up
    ask_all
  else
    echo down
    [ "$shadow_which" != live ] || say_deadly
  fi
  say_httpd_messages
}

# Places or removes the files of the change in the view, by placed.list.
place_candidates() {
  while IFS=$tab read -r shadow_source shadow_target; do
    mkdir -p -- "${shadow_target%/*}"
    if [ "$shadow_source" = - ]; then
      rm -f -- "$shadow_target"
    else
      place_candidate "$shadow_source" "$shadow_target"
    fi
  done </proc/self/fd/9/placed.list
}

# Places one candidate, by a bind mount where it can, else as a copy. A bind mount takes no memory: a CRL of a million
# entries has 47 MB.
place_candidate() { # SOURCE TARGET
  if [ -s "/dev/candidates/$1" ] && rm -f -- "$2" && : >"$2" && mount --bind "/dev/candidates/$1" "$2" 2>/dev/null; then
    return 0
  fi
  cat "/proc/self/fd/9/$1" >"$2"
}

# Empties the logs of the view. httpd opens its logs for append, and an overlay would first copy them whole, which may
# be gigabytes.
empty_logs() {
  printf '%s\n' "$run_log_files" | while IFS= read -r shadow_log; do
    if [ -f "$shadow_log" ]; then rm -f -- "$shadow_log" && : >"$shadow_log"; fi
  done 2>/dev/null
}

# Adds the addresses and names that httpd needs at its start, because this network has nothing but loopback.
add_names() {
  awk '!seen[$1]++ { print $1 }' /proc/self/fd/9/look.list /proc/self/fd/9/others.list |
    while IFS= read -r shadow_address; do
      case $shadow_address in
        127.* | '::1') ;;
        *:*) ip addr add "$shadow_address/128" dev lo ;;
        *) ip addr add "$shadow_address/32" dev lo ;;
      esac
    done 2>/dev/null
  # A name that is already in /etc/hosts would resolve to its address twice, and httpd would try to listen there twice.
  awk 'FILENAME == ARGV[1] { for (i = 2; i <= NF; i++) known[$i] = 1; next } !($2 in known)' /etc/hosts \
    /proc/self/fd/9/names >/dev/shm/names
  cat /dev/shm/names >>/etc/hosts
}

# Waits until the pid file names a live httpd. Fails where the start failed, or where no process of it is left. The time
# limit of the whole shadow ends a start that hangs.
wait_for_start() {
  while :; do
    shadow_pid=''
    # The pid file is read without starting a program: httpd needs seconds for hundreds of virtual hosts, and a program
    # would take its processor time.
    { IFS= read -r shadow_pid <"$run_pid_file"; } 2>/dev/null
    [ -n "$shadow_pid" ] && kill -0 "$shadow_pid" 2>/dev/null && return 0
    # The exit status of a starter that ended well is asked for once: `wait` forgets it, and the pid file may come
    # later.
    if [ -n "$shadow_starter" ] && ! kill -0 "$shadow_starter" 2>/dev/null; then
      wait "$shadow_starter" || return 1
      shadow_starter=''
    fi
    [ -n "$shadow_starter" ] || is_any_left || return 1
    sleep 0.04
  done
}

# Checks whether a process that the start began still runs: httpd may also die after its starter has ended well.
is_any_left() {
  for shadow_entry in /proc/[0-9]*; do
    case $shadow_before in *" $shadow_entry "*) continue ;; esac
    ! read_process "${shadow_entry#/proc/}" || return 0
  done
  return 1
}

# Prints what httpd says. The line `words` comes first and ends our own lines (up, down, deadly). What httpd printed at
# its start follows, and then the lines with a code or an error of OpenSSL among the first 16 KiB of each log.
# in: run_log_files
# sets: nothing
say_httpd_messages() {
  echo words
  cat /dev/shm/words
  printf '%s\n' "$run_log_files" | while IFS= read -r shadow_log; do
    if [ -f "$shadow_log" ]; then
      head -c 16384 -- "$shadow_log" | grep -a -e ' AH[0-9]*: ' -e '^AH[0-9]*: ' -e 'SSL Library Error'
    fi
  done 2>/dev/null
}
