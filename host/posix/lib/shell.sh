# shellcheck shell=sh
# What /bin/sh is: dash, bash, busybox ash or mksh. Joined before all else.

# Called without standard output, the first pipe would take its place.
[ -e /proc/self/fd/1 ] || exec >/dev/null

# For whoever runs this from a file: a caller is told before it sends anything.
refuse_unfit_shell() {
  shell_name=${YASH_VERSION:+yash}${POSH_VERSION:+posh}
  [ -n "$shell_name" ] || return 0
  echo "/bin/sh here is $shell_name, in which this program does not run; make it dash, bash, busybox ash or mksh" >&2
  exit 1
}
refuse_unfit_shell

# mksh has no printf of its own, and a program takes no text above 128 KiB, such as a large configuration.
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
    while case $shell_format in *\\n*) ;; *) false ;; esac do
      shell_format=${shell_format%%\\n*}$nl${shell_format#*\\n}
    done
    while :; do
      shell_form=$shell_format
      while case $shell_form in *%s*) ;; *) false ;; esac do
        shell_printed=$shell_printed${shell_form%%\%s*}${1-} shell_form=${shell_form#*%s}
        [ $# -eq 0 ] || shift
      done
      shell_printed=$shell_printed$shell_form
      case $#,$shell_format in 0,* | *,*%s*) ;; *) break ;; esac
      [ $# -gt 0 ] || break
    done
    print -nr -- "$shell_printed"
  }
  ;;
esac
