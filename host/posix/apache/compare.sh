# shellcheck shell=sh
# Compares two rounds of answers: which virtual hosts answer otherwise than before, or otherwise than was promised.

# Checks whether the status of a covered virtual host differs between two files with lines of ask_all. At a removal an
# administrator's own lines that come back may keep out people without a certificate, so `required` and 4xx are allowed
# then. At any other change our line still stands in the covered virtual hosts, so no difference is allowed.
# in: removal, returning, work
# sets: nothing
status_differs() { # BEFORE AFTER
  awk -F "$tab" -v list="$work/look.list" -v returning="$returning" -v removal="$removal" '
    BEGIN { while ((getline where <list) > 0) isCovered[where] = 1 }
    !($1 in isCovered) { next }
    FILENAME == ARGV[1] { before[$1] = $2; next }
    $2 != before[$1] && !(returning == "yes" && removal == "yes" && $2 ~ /^(4..|required)$/) { differs = 1 }
    END { exit !differs }' "$1" "$2"
}

# Prints a line for each covered virtual host whose live answers are not the promised ones. Fails where there is none.
# The answers of the shadow are the promise. Where no shadow has judged, is_meant decides by the answers from before the
# change. A status as before the change is right in any case: the shadow may have failed to reach a backend.
# in: judge, removal, returning, work
# sets: nothing
health_differs() {
  compare_promised=$work/answers.candidate
  [ "$judge" = shadow ] || compare_promised=/dev/null
  awk -F "$tab" -v list="$work/look.list" -v returning="$returning" -v removal="$removal" '
    BEGIN { while ((getline where <list) > 0) isCovered[where] = 1 }
    # Checks what report_unasking checks in a shadow: a server that answers an untrusted certificate asks for none. A
    # virtual host without a name does not count, because another one may have answered in its place.
    function is_unasking(where, untrusted) {
      return removal != "yes" && split(where, word, " ") == 3 && untrusted ~ /^[1-5]/
    }
    # Decides where no shadow has promised anything: an adoption may let people in, and its removal may keep them out
    # again.
    function is_meant(before, after) {
      if (returning == "yes" && removal == "yes") return after ~ /^(4..|required)$/
      return before ~ /^(refused|required)$/ && after ~ /^[1-4]..$/
    }
    function also(bad, more) { return bad == "" ? more : bad " and " more }
    function answer(status) {
      if (status ~ /^[1-5]/) return "answers " status
      return status == "required" ? "requires a certificate" : "refuses the connection"
    }
    function answer_untrusted(status) {
      return (status ~ /^[1-5]/ ? "answers " status " to" : "refuses") " an untrusted certificate"
    }
    FILENAME == ARGV[1] { status[$1] = $2; untrusted[$1] = $3; names[$1] = $4; promised = 1; next }
    FILENAME == ARGV[2] { before[$1] = $2; next }
    !($1 in isCovered) { next }
    { asked[$1] = 1; bad = "" }
    $2 != before[$1] && !(promised ? $2 == status[$1] : is_meant(before[$1], $2)) { bad = answer($2) }
    # Where the shadow let in a client with an untrusted certificate, it is enough that the live server answers this
    # client like any other.
    promised && $3 != untrusted[$1] && !(untrusted[$1] != "refused" && $3 == $2) {
      bad = also(bad, answer_untrusted($3))
    }
    !promised && is_unasking($1, $3) { bad = also(bad, answer_untrusted($3)) }
    promised && $4 != names[$1] { bad = also(bad, "names other CAs") }
    bad != "" { print $1 " " bad; differs = 1 }
    END {
      for (where in isCovered) if (!(where in asked)) { print where " could not be asked"; differs = 1 }
      exit !differs
    }' "$compare_promised" "$work/answers.before" "$work/answers.after"
}

# Writes a sentence to $work/noticed for each virtual host where the change shows and must not. Fails where there is
# none. Another virtual host than a covered one must have the same status, number of certificates and names of CAs as
# before. Where an administrator's own lines come back, it may let in fewer people, never more, and may name other CAs.
# A covered virtual host must not send fewer certificates, except at a removal.
# in: removal, returning, work
# sets: nothing
is_noticed() { # BEFORE AFTER OTHERS: a list
  awk -F "$tab" -v covered="$work/look.list" -v others="$3" -v returning="$returning" -v removal="$removal" '
    BEGIN {
      while ((getline where <covered) > 0) isCovered[where] = 1
      while ((getline where <others) > 0) isOther[where] = 1
      chain_hint = ": the SSLCACertificateFile of before completed the chain of its own certificate; put the intermediate behind" \
        " that certificate, into the file of SSLCertificateFile"
    }
    function described(status) {
      if (status == "required") return "let nobody in without a certificate"
      if (status == "") return "could not be asked"
      return status == "refused" ? "refused the connection" : "answered " status
    }
    # 2 where nobody gets in without a certificate, 1 where the answer is an error of the client, else 0.
    function strictness(status) { return status == "required" ? 2 : status ~ /^4/ }
    function is_meant(before, after) {
      return returning == "yes" && before != "refused" && after != "refused" && strictness(after) > strictness(before)
    }
    function report(where, was, is, hint,  word, name) {
      split(where, word, " ")
      name = (word[3] == "" ? "the virtual host" : word[3]) " (" word[1] " port " word[2] ")"
      name = name (where in isOther ? ", which this change must not touch," : "")
      print name " " was " before the change and " is " after it" hint
    }
    FILENAME == ARGV[1] { before[$1] = $2; names[$1] = $4; sent[$1] = $5; next }
    { after[$1] = $2 }
    !($1 in before) { next }
    { isCounted = sent[$1] != "-" && $5 != "-" }
    $1 in isCovered && removal != "yes" && isCounted && $5 + 0 < sent[$1] + 0 {
      report($1, "sent " sent[$1] " certificates", $5, chain_hint)
    }
    !($1 in isOther) { next }
    $2 != before[$1] { if (!is_meant(before[$1], $2)) report($1, described(before[$1]), described($2)); next }
    isCounted && $5 != sent[$1] { report($1, "sent " sent[$1] " of its certificates", $5) }
    # Where its own lines come back, a virtual host may name other CAs.
    returning != "yes" && $4 != names[$1] { report($1, "named some CAs in its handshake", "others") }
    END {
      for (where in isOther) {
        if (!(where in before) || !(where in after)) report(where, described(before[where]), described(after[where]))
      }
    }' "$1" "$2" >"$work/noticed"
  [ -s "$work/noticed" ]
}

# Checks by the sentences in $work/noticed whether a virtual host that let nobody in without a certificate now answers
# such clients. This difference is not waited for: each further round would leave that virtual host open.
# in: work
# sets: nothing
is_opened() { grep -q ' let nobody in without a certificate before .* and answered ' -- "$work/noticed"; }

# Reports a reason for each of the first five noticed differences, and how many more there are: a site may have
# hundreds. Fails where there is none.
# in: removal, returning, work
# sets: nothing
report_noticed() { # BEFORE AFTER OTHERS WHERE_SEEN WHAT_IS_DONE
  is_noticed "$1" "$2" "$3" || return 1
  head -n 5 -- "$work/noticed" | while IFS= read -r compare_sentence; do part "reason $4: $compare_sentence; $5"; done
  compare_more=$(($(wc -l <"$work/noticed") - 5))
  [ "$compare_more" -le 0 ] || part "reason $4: the same of $compare_more more"
}
