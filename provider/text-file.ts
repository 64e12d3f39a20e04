/** Reads text files that people write on this machine. */
import { readFileSync } from "node:fs";
import { type DecodedText, decodeText } from "../core/site/text.ts";

/** Undefined when the file cannot be read, for whatever reason: the caller knows what to look at. */
export function readTextFile(file: string): DecodedText | undefined {
  try {
    return decodeText(readFileSync(file));
  } catch {
    return undefined;
  }
}
