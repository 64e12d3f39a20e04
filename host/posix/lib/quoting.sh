# shellcheck shell=sh
# Paths as httpd and the kernel write them: in quotes, and with escapes.

# Sets quoting_word: a text as a word of httpd's configuration.
# in: nothing
# sets: quoting_word
quote_word() { # TEXT
  quoting_word=$1
  case $1 in *['"\']*) quoting_word=$(printf %s "$1" | sed 's/["\\]/\\&/g') ;; esac
  quoting_word=\"$quoting_word\"
}

# For awk: the first word of the arguments of a directive, as httpd reads it (ap_getword_conf), and a path that is
# absolute. Texts go into awk through the environment: `-v` would take a backslash in them for the beginning of an
# escape.
quoting_read_word='
  function read_word(text,  quote, word, at, letter, next_letter) {
    sub(/^[ \t]+/, "", text)
    quote = substr(text, 1, 1)
    if (quote == "\"" || quote == "\047") text = substr(text, 2); else quote = ""
    if (text !~ /\\/) {
      if (quote == "") sub(/[ \t\r].*/, "", text); else if (at = index(text, quote)) text = substr(text, 1, at - 1)
      return text
    }
    for (at = 1; at <= length(text); at++) {
      letter = substr(text, at, 1); next_letter = substr(text, at + 1, 1)
      if (quote == "" ? letter ~ /[ \t\r]/ : letter == quote) break
      if (letter == "\\" && (next_letter == "\\" || (quote != "" && next_letter == quote))) {
        letter = next_letter; at++
      }
      word = word letter
    }
    return word
  }
  function absolute(path) { return path ~ /^\// ? path : ENVIRON["server_root"] "/" path }'

# For awk: a path of /proc/self/mountinfo as it is.
quoting_mount_path='
  function mount_path(field) {
    gsub(/\\040/, " ", field); gsub(/\\011/, "\t", field); gsub(/\\134/, "\\", field); return field
  }
'
