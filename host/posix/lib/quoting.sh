# shellcheck shell=sh
# Paths as httpd and the kernel write them: in quotes and with escapes.

# Sets quoting_word: the text, quoted as a word of httpd's configuration.
# in: nothing
# sets: quoting_word
quote_word() { # TEXT
  quoting_word=$1
  case $1 in *['"\']*) quoting_word=$(printf %s "$1" | sed 's/["\\]/\\&/g') ;; esac
  quoting_word=\"$quoting_word\"
}

# Functions for awk. read_word returns the first word of a directive's arguments as httpd reads it (ap_getword_conf):
# without its quotes (\047 is the apostrophe) and escapes. absolute makes a path absolute, below $server_root. Texts are
# given to awk through the environment, because `-v` would take a backslash in them for the beginning of an escape.
quoting_read_word='
  function read_word(text,  quote, word, position, letter, next_letter) {
    sub(/^[ \t]+/, "", text)
    quote = substr(text, 1, 1)
    if (quote == "\"" || quote == "\047") text = substr(text, 2); else quote = ""
    # A word without escapes ends at the next blank, or at its closing quote.
    if (text !~ /\\/) {
      if (quote == "") sub(/[ \t\r].*/, "", text)
      else if (position = index(text, quote)) text = substr(text, 1, position - 1)
      return text
    }
    for (position = 1; position <= length(text); position++) {
      letter = substr(text, position, 1); next_letter = substr(text, position + 1, 1)
      if (quote == "" ? letter ~ /[ \t\r]/ : letter == quote) break
      if (letter == "\\" && (next_letter == "\\" || (quote != "" && next_letter == quote))) {
        letter = next_letter; position++
      }
      word = word letter
    }
    return word
  }
  function absolute(path) { return path ~ /^\// ? path : ENVIRON["server_root"] "/" path }'

# A function for awk: a path of /proc/self/mountinfo without its escapes, which are octal: of a blank, a tab and a
# backslash.
quoting_mount_path='
  function mount_path(field) {
    gsub(/\\040/, " ", field); gsub(/\\011/, "\t", field); gsub(/\\134/, "\\", field); return field
  }
'
