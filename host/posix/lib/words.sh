# shellcheck shell=sh
# This file cleans words that others choose: the words of programs and servers, and the names of files. A cleaned word
# is bounded in length, and has no password of a proxy. A character that a terminal obeys, or that nobody sees, is
# written as its number, such as \u001b. The caller cleans what it shows by itself, too (core/shown.ts); a person who
# runs this program by hand, the refresh record and the host's log have only this file.
word_max_bytes=2000

# Checks whether a text needs no cleaning: it is printable ASCII, and no longer than word_max_bytes. A text is nearly
# always plain, and this test starts no process.
# in: nothing
# sets: nothing
is_plain() { # TEXT
  case $1 in *[!\ -~]*) return 1 ;; esac
  [ "${#1}" -le "$word_max_bytes" ]
}

# Prints a text so that it can stand on one line. It is cut to word_max_bytes before it is escaped.
# in: nothing
# sets: nothing
plain() { printf "%.${word_max_bytes}s" "$1" | escape_words; } # TEXT

# A filter that escapes a character that is not to be shown by its number, such as \u001b, and a byte that is no valid
# UTF-8, such as \x9b. All other UTF-8 stays as it is. It works byte by byte, because no two programs agree on what a
# character is. The ranges are those of core/shown.ts.
# in: nothing
# sets: nothing
escape_words() { # [lines]: line ends stay, too
  od -An -v -tu1 | awk -v lines="${1:-}" '
    BEGIN {
      count = split("128-159 173 847 1536-1541 1564 1757 1807 2192-2193 2274 4447-4448 6068-6069 6155-6159 8203-8207 " \
        "8232-8238 8288-8303 12644 65024-65039 65279 65440 65520-65531 69821 69837 78896-78911 113824-113827 " \
        "119155-119162 917504-921599", ranges, " ")
      for (k = 1; k <= count; k++) { ends = split(ranges[k], range, "-"); first[k] = range[1]; last[k] = range[ends] }
    }
    { for (i = 1; i <= NF; i++) take($i + 0) }
    END { if (missing) printf "%s", odd }
    # A character of several bytes is held until it is whole: held has its bytes, odd the same bytes as escapes, missing
    # how many are still to come, code its number, and least the smallest number that needs so many bytes.
    function hold(b) { held = held sprintf("%c", b); odd = odd sprintf("\\x%02x", b) }
    function take(b) {
      if (missing && b > 127 && b < 192) {
        hold(b); code = code * 64 + b - 128
        if (--missing == 0) emit()
        return
      }
      if (missing) printf "%s", odd
      missing = 0
      if (b < 128) { if ((b > 31 && b < 127) || (b == 10 && lines != "")) printf "%c", b; else printf "\\u%04x", b }
      else if (b < 194 || b > 244) printf "\\x%02x", b
      else {
        held = odd = ""; hold(b)
        if (b > 239) { missing = 3; code = b - 240; least = 65536 }
        else if (b > 223) { missing = 2; code = b - 224; least = 2048 }
        else { missing = 1; code = b - 192; least = 128 }
      }
    }
    # Prints the held character. A number above 65535 is escaped as two halves, as in JSON.
    function emit(  k, rest) {
      if (code < least || code > 1114111 || (code > 55295 && code < 57344)) { printf "%s", odd; return }
      for (k = 1; k <= count; k++) if (code >= first[k] && code <= last[k]) {
        rest = code - 65536
        if (rest < 0) printf "\\u%04x", code; else printf "\\u%04x\\u%04x", 55296 + int(rest / 1024),
          56320 + rest % 1024
        return
      }
      printf "%s", held
    }'
}

# A filter that writes … for the user and the password that stand before the server of an address, also where the
# address is malformed. In each word this takes everything before the last @, but a scheme such as http:// stays.
# in: nothing
# sets: nothing
without_credentials() { LC_ALL=C sed -E "s#(^|[ ('\"])([A-Za-z][A-Za-z0-9]*://)?[^ ]*@#\\1\\2…@#g"; }

# Prints a text without credentials. A text without an @ has none, and costs no process.
# in: nothing
# sets: nothing
without_credentials_in() { # TEXT
  case $1 in *@*) printf '%s\n' "$1" | without_credentials ;; *) printf %s "$1" ;; esac
}

# A filter for the words of httpd that follow `part words`. Where a person reads them on a terminal, it escapes them,
# and passes the first 64 KiB only.
# in: mode
# sets: nothing
words_of_httpd() {
  case ${mode:-} in undo | refresh) head -c 65536 | escape_words lines ;; *) cat ;; esac
}
