/**
 * What httpd says about a configuration, without the customer's lines. Messages may quote arguments, and those stay on
 * the host. The message codes, places and OpenSSL's error texts are kept, and so are the texts of messages that quote
 * nothing but what we wrote.
 */
import { hostText, unescapeLog } from "../../core/host-text.ts";
import { shown } from "../../core/shown.ts";

/** The parts of messages that may be shown. Of each line, the part that the first matching pattern finds is kept. */
const shownParts: readonly RegExp[] = [
  // A message that quotes nothing up to the end of its line.
  /AH\d{5}: (?:Init|Failed|Fatal|Server|Unable|Private key|Cannot|Oops|SSL)[^'"$%]*$/,
  // The error text of OpenSSL, up to a quote.
  /SSL Library Error: error:[^\n'"]*/,
  // The place of a mistake. httpd writes what is wrong on the next line.
  /Syntax error on line \d+ of [^\n]*?:(?=\s*$)/,
  // Written by the host's program, where a start of httpd did not end (host/posix/apache/shadow.sh).
  /no answer within \d+ seconds/,
  // It quotes the path of a CA or CRL file, and nothing else.
  /SSL(?:CACertificate|CARevocation)File: file '.*' does not exist or is empty/,
  // Of every other message, only its code.
  /AH\d{5}(?=:)/,
];

/**
 * httpd writes these messages at every start that goes well, or about the machine (it has no name, its OpenSSL is
 * newer). They say nothing about the change that is judged.
 */
const irrelevant = /:(?:notice|info|debug|trace\d)\]|AH0055[78]|AH01882/;
const mostLines = 12;
const longestCharacters = 300;

/**
 * What may be shown of httpd's messages: for each line its first part in {@link shownParts}, without repetitions, and
 * at most {@link mostLines} in all. Other lines are left out. `latin1` has the bytes that httpd printed.
 */
export function filterHttpdMessages(latin1: string): string[] {
  const kept = latin1.split("\n").flatMap((line) => {
    if (irrelevant.test(line)) return [];
    for (const pattern of shownParts) {
      const match = pattern.exec(line);
      if (match !== null) return [`httpd: ${shown(hostText(unescapeLog(match[0])), longestCharacters)}`];
    }
    return [];
  });
  return [...new Set(kept)].slice(0, mostLines);
}
