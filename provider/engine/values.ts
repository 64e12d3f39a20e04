/** Turns plain objects into protobuf Structs and back, and does what must happen to values on the way. */
import protobuf from "google-protobuf/google/protobuf/struct_pb.js";
import { shown } from "../../core/shown.ts";
import { type Properties, unknown } from "./resource.ts";

/**
 * The control characters: C0 except tab and line feed, DEL, and C1. No other character is escaped here, because inputs
 * pass this way and come back, and the name of an organization may contain a joiner or a soft hyphen. Text from a host
 * has been made safe before (`outputsOf`).
 */
const controlCharacters = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

const escapeControls = (text: string): string => text.replace(controlCharacters, (character) => shown(character));

/** The properties of a request. Empty when there are none. */
export function fromStruct(struct: protobuf.Struct | undefined): Properties {
  return struct?.toJavaScript() ?? {};
}

/**
 * The properties for a response. They contain no `undefined`, at which the library throws "Unexpected struct type", and
 * nothing that a terminal obeys.
 */
export function toStruct(properties: Properties): protobuf.Struct {
  const value = cleanValue(properties);
  // `cleanValue` returns an object for an object. Struct has no narrower type for its values.
  return protobuf.Struct.fromJavaScript(value as { [key: string]: protobuf.JavaScriptValue });
}

/** Copies a value, at every depth without `undefined` and with control characters escaped, in texts and in names. */
function cleanValue(value: unknown): unknown {
  if (typeof value === "string") return escapeControls(value);
  if (Array.isArray(value)) return value.filter((item) => item !== undefined).map(cleanValue);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [escapeControls(key), cleanValue(item)]));
}

/** Whether a value, or a part of it at any depth, is not known yet. */
export function hasUnknown(value: unknown): boolean {
  if (value === unknown) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}
