# shellcheck shell=sh
# The limits that a login has: those of its processes (setrlimit(2), set by sshd, PAM or a unit) and the inodes of a
# file system. This file names them in plain words, because a program that hits a limit only says "File too large", or
# dies.

# Prints the soft limit of this process, by its name in /proc ("Max file size"). Prints nothing where it is unlimited.
limit_of() { # NAME
  while IFS= read -r resource_line; do
    case $resource_line in
      "$1 "*)
        # shellcheck disable=SC2086
        set -- ${resource_line#"$1 "}
        [ "$1" = unlimited ] || printf %s "$1"
        return
        ;;
    esac
  done 2>/dev/null </proc/self/limits
}

resource_limit_places='ulimit, /etc/security/limits.conf, or the unit of sshd'

# Fails where this login may not write a file of BYTES. It is called before anything is written.
# in: nothing
# sets: nothing
require_file_size() { # BYTES
  resource_file_limit=$(limit_of 'Max file size')
  [ -z "$resource_file_limit" ] || [ "$resource_file_limit" -ge "$1" ] ||
    fail limit "this login may write no file of more than $resource_file_limit bytes (limit of file size), and this needs $1; raise it for this login ($resource_limit_places); nothing was changed"
}

# Fails where a file system has too few inodes. A change needs at least 200 free inodes. A file system that makes inodes
# as it needs them reports 0 of 0.
# in: nothing
# sets: nothing
require_inodes() { # FREE TOTAL DIRECTORY
  [ "$2" = 0 ] || [ "$1" -ge 200 ] ||
    fail disk "the file system of $3 has $1 inodes left, each file takes one, and a change needs 200; delete files there (df -i $3); nothing was changed"
}

# Prints an addition to a sentence that something could not be written, where the file system has no inode left. Prints
# nothing where it has some, or makes them as it needs them.
# in: nothing
# sets: nothing
inodes_in_words() { # DIRECTORY
  # stat prints the free and the total inodes.
  case $(stat -f -c '%d/%c' -- "$(nearest_directory "$1")" 2>/dev/null) in
    0/0) ;;
    0/*) printf %s ' (no inodes are left there: df -i; delete files)' ;;
  esac
}

# Prints an addition to a sentence that a program did not run: the limits of this login that most logins do not have,
# which are any limit of memory or file size, and fewer than 64 open files. It begins with `; ` and is empty where there
# are none.
# in: nothing
# sets: nothing
limits_in_words() {
  resource_limits=''
  for resource_name in 'Max address space' 'Max data size' 'Max file size'; do
    resource_limit=$(limit_of "$resource_name") && [ -z "$resource_limit" ] ||
      resource_limits="$resource_limits, ${resource_name#Max } $resource_limit bytes"
  done
  resource_limit=$(limit_of 'Max open files') && [ "${resource_limit:-1024}" -ge 64 ] ||
    resource_limits="$resource_limits, open files $resource_limit"
  [ -z "$resource_limits" ] || printf '; this login has limits that may be the cause (%s): raise them (%s)' "${resource_limits#, }" "$resource_limit_places"
}

# Prints in a sentence which limit stopped a run, by the words of its programs at the beginning of FILE. Prints nothing
# where these name no limit.
# in: nothing
# sets: nothing
limit_in_words() { # FILE
  [ -s "$1" ] || return 0
  case $(head -c 65536 -- "$1") in
    *'File too large'* | *'File size limit'*) resource_hit='a limit of file size was hit' ;;
    *'Too many open files'* | *'Pipe call failed'*) resource_hit='a limit of open files was hit' ;;
    *[Cc]'annot fork'* | *'fork: '* | *'Resource temporarily unavailable'*)
      resource_hit='a limit of processes was hit (of this login, or TasksMax of a unit)'
      ;;
    *[Cc]'annot allocate memory'* | *[Oo]'ut of space'* | *[Oo]'ut of memory'* | *'memory exhausted'*)
      resource_hit='a limit of memory was hit, or this host has too little'
      ;;
    *'No space left on device'*) resource_hit='there was no room, or no inode, for a file' ;;
    *) return 0 ;;
  esac
  printf '%s; raise the limit for this login, or make room' "$resource_hit"
}
