/**
 * What httpd says of a configuration, without the customer's lines: messages may quote arguments, and those stay on the
 * host. Kept are message codes, places, OpenSSL's error texts, and the texts of messages that quote nothing but what we
 * wrote.
 */
import { hostText, unescapeLog } from "../../core/host-text.ts";
import { shown } from "../../core/shown.ts";

const known: readonly RegExp[] = [
  /AH\d{5}: (?:Init|Failed|Fatal|Server|Unable|Private key|Cannot|Oops|SSL)[^'"$%]*$/,
  /SSL Library Error: error:[^\n'"]*/,
  /Syntax error on line \d+ of [^\n]*?:(?=\s*$)/,
  /no answer within \d+ seconds/,
  /SSL(?:CACertificate|CARevocation)File: file '.*' does not exist or is empty/,
  /AH\d{5}(?=:)/,
];

/**
 * Said at every start that goes well, or of the machine (it has no name, its OpenSSL is a newer one): tells nothing of
 * a candidate.
 */
const noise = /:(?:notice|info|debug|trace\d)\]|AH0055[78]|AH01882/;
const mostLines = 12;
const longestCharacters = 300;

export function filterHttpdMessages(latin1: string): string[] {
  const kept = latin1.split("\n").flatMap((line) => {
    if (noise.test(line)) return [];
    for (const pattern of known) {
      const match = pattern.exec(line);
      if (match !== null) return [`httpd: ${shown(hostText(unescapeLog(match[0])), longestCharacters)}`];
    }
    return [];
  });
  return [...new Set(kept)].slice(0, mostLines);
}
