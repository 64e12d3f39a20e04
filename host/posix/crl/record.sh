# shellcheck shell=sh
# The record of refreshes. The next refresh reads it, `--status` shows it, and an observation of the host sends it. It
# has one line for each source and kind, so it never grows.

# Writes the record: the line `run TIME EXIT RESULT [REASON]`, and the lines `source ID KIND ...` of $work/told. A new
# line takes the place of the old line of the same source and kind, and a success removes the failure of its source.
# Each reason is cut to 400 bytes.
# in: refresh_reason, source_ids, state, work
# sets: nothing
# writes
save_record() { # EXIT RESULT
  {
    printf 'run %s %s %s%.400s\n' "$(date +%s)" "$1" "$2" "${refresh_reason:+ $refresh_reason}"
    # The first file has the new lines. An old line stays where its source still exists and no new line takes its place.
    awk -v ids="$source_ids " '
      FILENAME == ARGV[1] {
        line[$2 " " $3] = $0
        if ($3 == "success") gone[$2 " failure"] = 1
        next
      }
      $1 == "source" && index(ids, " " $2 " ") && !(($2 " " $3) in line) && !(($2 " " $3) in gone) {
        line[$2 " " $3] = $0
      }
      END { for (key in line) print line[key] }' "$work/told" "$(existing "$state/refresh.record")" | sort |
      without_credentials | escape_words lines
  } >"$work/record" && sync -- "$work/record" && mv -f -- "$work/record" "$state/refresh.record"
}

# Prints the path of a file, or /dev/null where there is no such file.
existing() { # FILE
  if [ -f "$1" ]; then printf %s "$1"; else printf /dev/null; fi
}

# Records a failure for each source whose CRL was downloaded well but did not become crl.pem, so that the next refresh
# reports it again.
# in: work
# sets: nothing
blame_new_crls() { # REASON
  for record_facts in "$work"/crls/*.facts; do
    [ ! -f "$record_facts" ] || { record_blamed=${record_facts##*/} && blame_source "${record_blamed%.facts}" "$1"; }
  done
}

# Notes a failure of a source in $work/told, in place of everything that this run has noted of the source.
# in: work
# sets: nothing
blame_source() { # ID REASON
  awk -v id="$1" '$2 != id' "$work/told" >"$work/told.new" && mv -f -- "$work/told.new" "$work/told"
  printf 'source %s failure %s %.400s\n' "$1" "$(date +%s)" "$2" >>"$work/told"
}

# Shows the record. The reader has a terminal, and a record of an earlier version may hold any bytes, so it is escaped.
# in: state
# sets: nothing
show_status() { report_status | without_credentials | escape_words lines; }

# Prints the record in words. The lines of a source come behind a line with its addresses.
report_status() {
  [ -f "$state/refresh.record" ] || { echo 'no refresh has run yet' && return; }
  read_journal
  record_shown=''
  while IFS=' ' read -r record_kind record_first record_second record_rest; do
    [ "$record_kind" = run ] || [ "$record_first" = "$record_shown" ] ||
      { record_shown=$record_first && printf 'source %s %s\n' "$record_first" "$(addresses_of "$record_first")"; }
    case "$record_kind $record_second" in
      run*)
        printf 'last run      %s: %s (exit status %s)\n' "$(date -u -d "@$record_first" +%FT%TZ)" \
          "$(in_words "$record_rest")" "$record_second"
        ;;
      'source crl') printf '  CRL           %s\n' "$(crl_in_words "$record_rest")" ;;
      'source failure')
        printf '  last failure  %s: %s\n' "$(date -u -d "@${record_rest%% *}" +%FT%TZ)" "${record_rest#* }"
        ;;
      'source success')
        printf '  last success  %s from %s\n' "$(date -u -d "@${record_rest%% *}" +%FT%TZ)" "${record_rest#* }"
        ;;
    esac
  done <"$state/refresh.record"
  ! is_sample_useless || printf 'sample        the sample certificate of the site %s\n' "$(cat -- "$state/sample")"
}

# Checks whether the site has a sample that was useless when the CRLs were last checked.
is_sample_useless() { [ -s "$state/sample" ] && grep -qs '^sample ' "$(journal_value directory)/refresh.conf"; }

# Prints the addresses of a source on one line.
addresses_of() { # ID
  awk -v id="$1" '$1 == "source" { on = $2 == id } on && $1 == "url" { print $2 }' \
    "$(journal_value directory)/refresh.conf" 2>/dev/null | paste -s -d ' ' -
}

# Prints `RESULT [REASON]` in words.
in_words() { case $1 in *' '*) printf '%s: %s' "${1%% *}" "${1#* }" ;; *) printf %s "$1" ;; esac; }

# Prints what the record says of a CRL in words, and `not known` where it has too few fields.
crl_in_words() { # THIS NEXT NUMBER ENTRIES KEY, in one argument
  # shellcheck disable=SC2086
  set -- $1
  [ $# -ge 4 ] || { printf 'not known' && return; }
  [ "$2" = - ] && record_until='never ends' || record_until="until $(date -u -d "@$2" +%FT%TZ)"
  printf 'of %s, %s, number %s, revoked certificates: %s' "$(date -u -d "@$1" +%FT%TZ)" "$record_until" "$3" "$4"
}
