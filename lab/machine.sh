# Runs as pid 1 of one lab machine, in namespaces of its own. It builds the machine's root as an overlay of this whole
# machine, pivots into it, and starts its servers. It runs until standard input ends, that is until the process that
# started it has ended.
#   machine.sh DIRECTORY [MOUNT_POINT...]   mount points = further file systems of this machine that hold programs or settings
# DIRECTORY/files is laid over the new root. Its /lab-start.sh starts the servers inside.
set -eu
umask 022
directory=$1
shift
root=$directory/root

overlay() { # LOWER LAYER TARGET
	mkdir -p "$directory/layers/$2/upper" "$directory/layers/$2/work"
	mount -t overlay overlay -o "lowerdir=$1,upperdir=$directory/layers/$2/upper,workdir=$directory/layers/$2/work" "$3"
}

make_dev() {
	mount -t tmpfs -o mode=755 tmpfs "$root/dev"
	for node in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "$root/dev/${node%:*}" c 1 "${node#*:}"; done
	mknod -m 666 "$root/dev/tty" c 5 0
	mkdir "$root/dev/pts" "$root/dev/shm"
	mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$root/dev/pts"
	mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
	ln -s pts/ptmx "$root/dev/ptmx"
	ln -s /proc/self/fd "$root/dev/fd"
}

mkdir -p "$root"
overlay / 0 "$root"
layer=0
for point in "$@"; do
	layer=$((layer + 1))
	overlay "$point" "$layer" "$root$point"
done
make_dev
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys" # the machine's own kernel: nothing in the lab may turn its knobs
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
# The home is empty: bash reads ~/.bashrc at each login by ssh, and this machine's ~/.bashrc does not belong to a host (it
# was seen to take a tenth of a second).
mount -t tmpfs -o mode=700 tmpfs "$root/root"
# The product's tree lies on the disk itself, because a shadow start lays an overlay over every mount, and overlays nest
# only twice.
mkdir -p "$root/usr/local/ni"
mount --bind "$directory/ni" "$root/usr/local/ni"
cp -a "$directory/files/." "$root/"

cd "$root"
pivot_root . mnt
umount -l /mnt
hostname lab
echo lab >/etc/hostname
printf '127.0.0.1 localhost lab\n' >/etc/hosts
mkdir -p /run/sshd /run/lock
exec 3<&0 </dev/null
. /lab-start.sh 3<&-
rm /lab-start.sh
# Another program may become pid 1 here. That program prints `ready` itself, and ends the machine when the pipe ends.
[ ! -f /lab-init.sh ] || . /lab-init.sh
cat <&3 >/dev/null 2>&1 &
echo ready
exec >/dev/null 2>&1 3<&-
wait # returns when the pipe ends; until then it also collects orphans, as pid 1 has to
