/**
 * systemd as pid 1 of a lab host. It has no unit but those that are added later, because the machine's own units would
 * change the kernel that all hosts share.
 */

export const systemdProgram = "/lib/systemd/systemd";

/** Shell commands that remove the machine's units, and keep systemd from waiting when it ends. */
export const systemdSetUp = `[ -x ${systemdProgram} ] || { echo 'systemd is not installed' >&2; exit 1; }
rm -rf /etc/systemd/system/* /lib/systemd/system/*.wants /lib/systemd/system-generators
printf '[Unit]\\nDescription=Lab\\nWants=timers.target\\n' >/etc/systemd/system/lab.target
printf '[Manager]\\nDefaultTimeoutStopSec=1s\\n' >/etc/systemd/system.conf
`;

/**
 * Shell commands that become systemd, as the machine's `init`. systemd takes its own control group for the root of all
 * control groups. So it gets a separate one with the name of the machine's directory, which the guard of the machine
 * removes.
 */
export const systemdInit = `
mount_groups='
  if grep -q name=systemd: /proc/self/cgroup; then
    groups=/sys/fs/cgroup/systemd
    mount -t tmpfs tmpfs /sys/fs/cgroup && mkdir $groups && mount -t cgroup -o none,name=systemd cgroup $groups
    # Not the groups of the controllers: there systemd would leave some behind.
    mount -o remount,ro /sys/fs/cgroup
  else
    groups=/sys/fs/cgroup
    mount -t cgroup2 cgroup2 $groups
  fi'
eval "$mount_groups"
mkdir "$groups/\${directory##*/}"
echo 0 >"$groups/\${directory##*/}/cgroup.procs"
umount -R /sys/fs/cgroup
mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys
# 48 = SIGRTMIN+14: power off at once.
{ cat <&3; kill -48 1; } >/dev/null 2>&1 &
{ until systemctl is-active --quiet lab.target; do sleep 0.05; done; echo ready; } 2>/dev/null &
exec unshare --cgroup sh -c "$mount_groups
exec env -i container=lab PATH=$PATH ${systemdProgram} --unit=lab.target --log-target=null --show-status=no" >/dev/null 2>&1 3<&-
`;
