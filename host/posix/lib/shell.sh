# shellcheck shell=sh
# Finds out what /bin/sh is: dash, bash, busybox ash or mksh. This file is the first one of the program.

# Where the program is called without standard output, the first pipe would get that descriptor.
[ -e /proc/self/fd/1 ] || exec >/dev/null

# Ends the program in a shell that cannot run it. This check is for a person who runs the program from a file. A caller
# learns about such a shell before it sends anything.
refuse_unfit_shell() {
  shell_name=${YASH_VERSION:+yash}${POSH_VERSION:+posh}
  [ -n "$shell_name" ] || return 0
  echo "/bin/sh here is $shell_name, in which this program does not run; make it dash, bash, busybox ash or mksh" >&2
  exit 1
}
refuse_unfit_shell

# mksh has no builtin printf, and a program cannot be given an argument above 128 KiB, such as a large configuration. So
# this function writes formats that have only `%s` and `\n` by mksh's builtin `print`. It leaves any other format to the
# program printf. As printf does, it uses the format again until no argument is left, and takes a missing argument for
# an empty one.
case ${KSH_VERSION:-} in *MIRBSD* | *LEGACY*)
  # shellcheck disable=SC3000-SC4000 # a function of this name is for mksh alone, and so is `print`.
  printf() { # FORMAT TEXT…
    [ "$1" != -- ] || shift
    case $1 in *%[!s]* | *\\[!n]*)
      command printf "$@"
      return
      ;;
    esac
    shell_format=$1 shell_printed=''
    shift
    # A `case` is the condition, because `[` knows no patterns.
    while case $shell_format in *\\n*) ;; *) false ;; esac do
      shell_format=${shell_format%%\\n*}$nl${shell_format#*\\n}
    done
    while :; do
      shell_format_left=$shell_format
      while case $shell_format_left in *%s*) ;; *) false ;; esac do
        shell_printed=$shell_printed${shell_format_left%%\%s*}${1-} shell_format_left=${shell_format_left#*%s}
        [ $# -eq 0 ] || shift
      done
      shell_printed=$shell_printed$shell_format_left
      case $#,$shell_format in 0,* | *,*%s*) ;; *) break ;; esac
      [ $# -gt 0 ] || break
    done
    print -nr -- "$shell_printed"
  }
  ;;
esac
