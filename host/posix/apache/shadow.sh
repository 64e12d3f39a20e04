# shellcheck shell=sh
# The shadow start: the real httpd on the candidate, in namespaces of its own, on a view of this whole host in which every
# write vanishes. What it does to files, ports, logs and sockets has no effect on the host.

# shadow live|candidate: writes $work/shadow.WHICH: `up` or `down`, answers, and httpd's own words. Returns 3 where the
# host allows no namespaces. Ends with this process: the shadow reads a pipe that only we hold open.
shadow() {
  rm -f -- "$work/alive"
  mkfifo -- "$work/alive"
  # As a file: of an argument or a variable the kernel takes 128 KiB, and this program is longer.
  [ -f "$work/program" ] || printf '%s\n' "$script" >"$work/program"
  exec 5<>"$work/alive"
  (
    exec 5>&-
    read_process self
    export process_start work live_umask program arguments work_directory environment pid_file log_files mark tab nl returning baseline
    cd /
    # Given with the command: of what `exec` alone opens, mksh would hand nothing on.
    # shellcheck disable=SC2086
    exec $enter unshare --kill-child=KILL --mount --net --ipc --uts --pid --fork --mount-proc --propagation private \
      timeout -k 1 "$deadline_seconds" /bin/sh /proc/self/fd/9/program shadow_outside_view "$1" 9<"$work" 8<"/proc/$$/ns" 7<"/proc/${parent:-$$}/ns"
  ) </dev/null >"$work/shadow.$1" 2>"$work/shadow.errors"
  shadow_status=$?
  exec 5>&-
  grep -q '^begun$' "$work/shadow.$1" || return 3
  case $shadow_status in 124 | 137) printf 'down\nwords\nno answer within %s seconds\n' "$deadline_seconds" >"$work/shadow.$1" ;; esac
}

# In the new namespaces, before the view is the root.
shadow_outside_view() { # live|candidate
  is_apart || { echo 'unshare did not make all of them' >&2 && exit 3; }
  exec 8<&- 7<&-
  # Only the process that waits for us holds the other end: when it is killed this read ends, and with it everything here.
  ( read -r _ </proc/self/fd/9/alive; kill -KILL -1 ) &
  trap 'exit 1' TERM
  build_view || exit 3
  ip link set lo up
  # The resolver asks for names only where there is an address besides loopback: these two are nobody's (RFC 5737, RFC 3849).
  { ip addr add 192.0.2.1/32 dev lo && ip addr add 2001:db8::1/128 dev lo; } 2>/dev/null || :
  for family in ipv4 ipv6; do
    echo 1 2>/dev/null >"/proc/sys/net/$family/ip_nonlocal_bind" || :
  done
  echo begun
  export lacking
  exec chroot /sys/root /bin/sh /proc/self/fd/9/program shadow_inside_view "$1"
}

# Proved before anything is done here: where unshare did less than it was asked for, these would be the processes, file systems
# and addresses of the host. Neither ours (8) nor httpd's (7), and the first process of all is no older than the shadow.
is_apart() {
  began=$process_start
  for namespace in pid mnt net; do
    for other in 8 7; do
      other=/proc/self/fd/$other/$namespace
      # shellcheck disable=SC3013 # dash and busybox ash have -ef.
      [ -e "$other" ] && [ -e "/proc/self/ns/$namespace" ] && ! [ "$other" -ef "/proc/self/ns/$namespace" ] || return 1
    done
  done
  read_process 1 && [ "$process_start" -ge "$began" ]
}

# A tmpfs over /sys of this namespace holds all writes, so no directory is left on the host.
build_view() {
  mounts=$(awk '{ for (i = 7; $i != "-"; i++); print $(i + 1) "\t" $5 }' /proc/self/mountinfo | sort -t "$tab" -u -k 2,2)
  mount -t tmpfs -o mode=700 tmpfs /sys && mkdir /sys/root || return 1
  count=0 lacking=''
  while IFS=$tab read -r type point; do
    point=$(printf '%b' "$point")
    case $point in /proc | /proc/* | /sys | /sys/* | /dev | /dev/*) continue ;; esac
    # A server that does not answer would hang us: judged by type, never looked at.
    case $type in nfs* | cifs | smb* | fuse* | autofs | afs | ceph | 9p) lacking=$lacking$nl$point && continue ;; esac
    count=$((count + 1))
    view_of "$point" 2>/dev/null || { [ "$point" != / ] && lacking=$lacking$nl$point; } || return 1
  done <<EOF
$mounts
EOF
  build_devices
  bind_candidates
  mount -t proc proc /sys/root/proc && { mount -t sysfs -o ro sysfs /sys/root/sys 2>/dev/null || :; }
}

view_of() { # MOUNT_POINT
  [ "$1" = / ] && target=/sys/root || target=/sys/root$1
  if [ ! -d "$1" ]; then
    cp -p -- "$1" "/sys/file$count" && mount --bind "/sys/file$count" "$target"
    return
  fi
  mkdir -- "/sys/upper$count" "/sys/work$count"
  # The view's top directory takes its owner and mode from the upper one.
  chown --reference="$1" -- "/sys/upper$count" && chmod --reference="$1" -- "/sys/upper$count"
  case $1 in
    *[:,\\]*) ;;
    *) mount -t overlay -o "lowerdir=$1,upperdir=/sys/upper$count,workdir=/sys/work$count" overlay "$target" && return ;;
  esac
  mount --bind "$1" "$target" && mount -o remount,bind,ro "$target" && is_read_only "$target" || { umount "$target"; return 1; }
}

# util-linux before 2.27 silently ignores `ro` on a bind mount.
is_read_only() { point=$1 awk "$mount_path"'mount_path($5) == ENVIRON["point"] { found = $6 } END { exit found !~ /(^|,)ro(,|$)/ }' /proc/self/mountinfo; }

# Where httpd's mount namespace has the same work directory under its name.
bind_candidates() {
  # shellcheck disable=SC3013 # dash and busybox ash have -ef.
  [ "$work" -ef /proc/self/fd/9 ] || return 0
  mkdir /sys/root/dev/candidates && mount --bind "$work" /sys/root/dev/candidates && mount -o remount,bind,ro /sys/root/dev/candidates
} 2>/dev/null

build_devices() {
  mount -t tmpfs -o mode=755 tmpfs /sys/root/dev
  for device in null zero full random urandom tty; do
    : >"/sys/root/dev/$device" && mount --bind "/dev/$device" "/sys/root/dev/$device"
  done
  mkdir /sys/root/dev/pts /sys/root/dev/shm
  mount -t devpts -o newinstance,ptmxmode=666 devpts /sys/root/dev/pts
  mount -t tmpfs -o mode=1777 tmpfs /sys/root/dev/shm
  ln -s pts/ptmx /sys/root/dev/ptmx
  for number in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${number%:*}" "/sys/root/dev/${number#*:}"; done
  ln -s /proc/self/fd /sys/root/dev/fd
}

# With the view as the root: only here are candidates put in place, since before it an absolute symlink leads to the real host.
shadow_inside_view() { # live|candidate
  [ "$1" = live ] || { place_candidates && asks_probes=yes; }
  empty_logs
  rm -f -- "$pid_file"
  add_names
  # shellcheck disable=SC3045 # dash and busybox ash have -c.
  ulimit -c 0
  parent=shadow enter='' which=$1
  set -- /proc/[0-9]*
  before=" $* "
  httpd -k start >/dev/shm/words 2>&1 &
  starter=$!
  if wait_for_start; then
    echo up
    ask_all
  else
    echo down
    [ "$which" != live ] || say_deadly
  fi
  say_words
}

place_candidates() {
  while IFS=$tab read -r source target; do
    mkdir -p -- "${target%/*}"
    if [ "$source" = - ]; then rm -f -- "$target"; else place_candidate "$source" "$target"; fi
  done </proc/self/fd/9/placed.list
}

# A CRL of a million entries has 47 MB: bound, so that it is not held in memory once more.
place_candidate() { # SOURCE TARGET
  if [ -s "/dev/candidates/$1" ] && rm -f -- "$2" && : >"$2" && mount --bind "/dev/candidates/$1" "$2" 2>/dev/null; then return 0; fi
  cat "/proc/self/fd/9/$1" >"$2"
}

# httpd opens its logs for append, and an overlay would first copy them whole: gigabytes.
empty_logs() {
  printf '%s\n' "$log_files" | while IFS= read -r log; do
    if [ -f "$log" ]; then rm -f -- "$log" && : >"$log"; fi
  done 2>/dev/null
}

# Addresses and names that httpd needs at its start, although this network has nothing but itself.
add_names() {
  awk '!seen[$1]++ { print $1 }' /proc/self/fd/9/look.list /proc/self/fd/9/others.list | while IFS= read -r address; do
    case $address in 127.* | '::1') ;; *:*) ip addr add "$address/128" dev lo ;; *) ip addr add "$address/32" dev lo ;; esac
  done 2>/dev/null
  # A name that stands there already would resolve to its address twice, and httpd would try to listen there twice.
  awk 'FILENAME == ARGV[1] { for (i = 2; i <= NF; i++) known[$i] = 1; next } !($2 in known)' /etc/hosts /proc/self/fd/9/names >/dev/shm/names
  cat /dev/shm/names >>/etc/hosts
}

wait_for_start() {
  while :; do
    pid=''
    # No program for it: httpd needs seconds for hundreds of virtual hosts, and this takes its processor.
    { IFS= read -r pid <"$pid_file"; } 2>/dev/null
    [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && return 0
    # A starter that has gone well is asked once: `wait` forgets it, and the pid file may come later.
    if [ -n "$starter" ] && ! kill -0 "$starter" 2>/dev/null; then
      wait "$starter" || return 1
      starter=''
    fi
    [ -n "$starter" ] || is_any_left || return 1
    sleep 0.04
  done
}

# Of what the start began: httpd may also die after its starter has gone well.
is_any_left() {
  for entry in /proc/[0-9]*; do
    case $before in *" $entry "*) continue ;; esac
    ! read_process "${entry#/proc/}" || return 0
  done
  return 1
}

say_words() {
  echo words
  cat /dev/shm/words
  printf '%s\n' "$log_files" | while IFS= read -r log; do
    if [ -f "$log" ]; then head -c 16384 -- "$log" | grep -a -e ' AH[0-9]*: ' -e '^AH[0-9]*: ' -e 'SSL Library Error'; fi
  done 2>/dev/null
}
