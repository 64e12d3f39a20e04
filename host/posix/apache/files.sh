# shellcheck shell=sh
# The files of httpd: which ones its configuration names, and what they hold.

# Prints the directives that name files which httpd reads at its start, each once, as `Directive<TAB>path`, with an
# absolute path. They are the directives of file_directives: words `Directive=CONTENTS`, which are written from the
# table in core/apache/named-files.ts.
# in: dumped, quoting_read_word, server_root
# sets: nothing
named_files() {
  printf '%s\n' "$dumped" | server_root=$server_root awk -v tab="$tab" -v directives="$file_directives" \
    "$quoting_read_word"'
    BEGIN {
      for (n = split(directives, words, " "); n > 0; n--) {
        split(words[n], pair, "=")
        spelling[tolower(pair[1])] = pair[1]
      }
    }
    tolower($1) in spelling {
      path = $0; sub(/^[ \t]*[^ \t]+[ \t]+/, "", path)
      line = spelling[tolower($1)] tab absolute(read_word(path))
      if (!(line in seen)) { seen[line] = 1; print line }
    }'
}

# Prints the main configuration file and the included files, each once. httpd dumps several lists, and warnings may
# stand anywhere between their lines. So a list ends where the next list begins. A line of this list is `(LINE) PATH`,
# where LINE is that of the Include, and `*` for the main file.
# in: dumped
# sets: nothing
included_files() {
  printf '%s\n' "$dumped" | awk '
    /^Included configuration files:/ { inList = 1; next }
    /^(VirtualHost configuration|# In file|ServerRoot)/ { inList = 0 }
    inList && /^ *\([0-9*]+\) / { sub(/^ *\([0-9*]+\) /, ""); if (!($0 in seen)) { seen[$0] = 1; print } }'
}

# A filter: resolves paths, one a line, in the mount namespace of httpd.
# in: nothing
# sets: nothing
resolve_paths() { tr '\n' '\0' | inside xargs -0 -r realpath -m --; }

# Prints one part for each path. Its first line is KIND, size, time of the contents, time of the inode, then resolved
# path and path, each after a tab. The bytes follow. A file above the limit is cut to its first 8 KiB; of a file of ours
# (own) or a CRL file (crl) both ends of each PEM block are printed instead. Of the kind server-certificates only the
# certificates are printed, whatever the size. Fails where a file went away, or is no regular file; such a crontab is
# left out. PATHS may be empty.
# in: nothing
# sets: nothing
observe_files() { # KIND LIMIT_BYTES PATHS
  [ -n "$3" ] || return 0
  file_ifs=$IFS IFS=$nl
  set -f
  doing "a look at ${3%%"$nl"*}, or at a file that is named beside it,"
  # shellcheck disable=SC2086
  file_resolved=$(inside realpath -m -- $3)
  # shellcheck disable=SC2086
  file_facts=$(inside stat -c '%f %s %Y %Z %n' -- $file_resolved 2>/dev/null)
  set +f
  IFS=$file_ifs
  # The three lists have one line for each path. They are read side by side, by a descriptor each.
  while IFS= read -r file_path <&3 && IFS= read -r file_real <&4 && IFS= read -r file_fact <&5; do
    # stat printed no line for a file that is missing, so this is the line of another file.
    [ "${file_fact#* * * * }" = "$file_real" ] || fail changed "$file_real went away while it was being read; run again"
    file_type=${file_fact%% *} file_fact=${file_fact#* }
    is_readable "$file_type" "$file_real" || { [ "$1" = crontab ] && continue; } ||
      fail pipe "$file_real: is no regular file but a pipe, a device or a socket, so it is not read; name a regular file there"
    part "$1 ${file_fact%" $file_real"}$tab$file_real$tab$file_path"
    # Files in /proc have size 0, and reading them may never end.
    [ "${file_fact%% *}" != 0 ] || continue
    doing "reading $file_real"
    if [ "$1" = server-certificates ]; then
      inside cat -- "$file_real" | certificates_alone
    elif [ "${file_fact%% *}" -le "$2" ]; then
      inside cat -- "$file_real"
    elif [ "$1" = own ] || [ "$1" = crl ]; then
      ends_of_blocks "$file_real"
    else
      inside head -c 8192 -- "$file_real"
    fi
  done 3<<PATHS 4<<RESOLVED 5<<FACTS
$3
PATHS
$file_resolved
RESOLVED
$file_facts
FACTS
}

# Checks whether a file may be read: a regular file (8...) or a directory (4...). Reading a pipe may never end, and
# reading a device may do anything. /dev/null is allowed, because a configuration may name it where nothing is to be
# read.
is_readable() { # TYPE_AND_MODE PATH: hexadecimal, as `stat -c %f` prints it
  case $1 in 8??? | 4???) return 0 ;; *) [ "$2" = /dev/null ] ;; esac
}

# A filter: prints the certificates of a PEM file, and nothing else of it. A key may stand beside them, also in a block
# that is never closed.
certificates_alone() {
  awk '/^-----BEGIN / { on = /^-----BEGIN CERTIFICATE-----/ } on { print } /^-----END / { on = 0 }'
}

# Prints the first and the last 64 lines of each PEM block, each line cut to 200 characters. `...COUNT` stands for the
# characters between them. tail keeps the last 64 lines: a new line takes the place of the oldest one, whose characters
# are added to left.
ends_of_blocks() { # PATH
  awk -v keep=64 '
    { sub(/\r$/, "") }
    /^-----BEGIN / { print; first = 0; last = 0; left = 0; inside = 1; next }
    !inside { next }
    /^-----END / {
      if (left) print "..." left
      for (i = last > keep ? last - keep : 0; i < last; i++) print tail[i % keep]
      print; inside = 0; next
    }
    first < keep { first++; print substr($0, 1, 200); next }
    { if (last >= keep) left += length(tail[last % keep]); tail[last++ % keep] = substr($0, 1, 200) }
  ' "$1"
}

# Prints the times of all named files, as lines `CONTENTS_TIME INODE_TIME<TAB>DIRECTIVE<TAB>PATH`; a file that is
# missing has no line. Of the files that are not ours it also sends the CAs and CRLs and, where there are CAs, the
# certificates of the server. Ours are sent in any case. NAMED has the lines of named_files.
# in: server_root
# sets: nothing
observe_named_files() { # NAMED
  [ -n "$1" ] || return 0
  part named
  file_ifs=$IFS IFS=$nl
  set -f
  doing "a look at the files that httpd's configuration names"
  # shellcheck disable=SC2046
  file_times=$(inside stat -L -c "%Y %Z$tab%n" -- $(printf '%s\n' "$1" | cut -f 2-) 2>/dev/null)
  set +f
  IFS=$file_ifs
  printf '%s\n\n%s\n' "$file_times" "$1" | awk -v tab="$tab" '
    # The times end at the empty line. The lines of NAMED follow.
    { cut = index($0, tab); head = substr($0, 1, cut - 1); path = substr($0, cut + 1) }
    !timesRead && cut { time[path] = head }
    !cut { timesRead = 1 }
    timesRead && cut && path in time { print time[path] tab $0 }'
  file_theirs=$(printf '%s\n' "$1" |
    own=$server_root/conf/clientcert/ awk -F "$tab" 'index($2, ENVIRON["own"]) != 1')
  file_cas=$(paths_of "$file_theirs" certificates)
  observe_files certificates 1048576 "$file_cas"
  observe_files crl 65536 "$(paths_of "$file_theirs" crl)"
  # Only a CA file completes the chain of a server's own certificate. The file of that certificate may hold its key, so
  # only the certificates of the file are sent.
  [ -z "$file_cas" ] || observe_files server-certificates 0 "$(paths_of "$file_theirs" server-certificates)"
}

# Prints, each once, the paths of the files of which CONTENTS is read (a word of file_directives, such as `crl`).
paths_of() { # NAMED CONTENTS
  printf '%s\n' "$1" | awk -F "$tab" -v directives="$file_directives" -v contents="$2" '
    BEGIN {
      for (n = split(directives, words, " "); n > 0; n--) {
        split(words[n], pair, "=")
        contentsOf[pair[1]] = pair[2]
      }
    }
    contentsOf[$1] == contents { path = substr($0, length($1) + 2); if (!seen[path]++) print path }'
}
