/** Plain objects ⇄ protobuf Structs, and what must happen to a value on that border. */
import protobuf from "google-protobuf/google/protobuf/struct_pb.js";
import { shown } from "../../core/shown.ts";
import { type Properties, unknown } from "./resource.ts";

/**
 * C0 but for tab and line feed, DEL, C1. No more here: inputs pass this border and come back, and the name of an
 * organization may hold a joiner or a soft hyphen. What a host says has been through the gate before (`outputsOf`).
 */
const controlCharacters = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

const withoutControls = (text: string): string => text.replace(controlCharacters, (character) => shown(character));

/** The properties of a request; empty when there are none. */
export function fromStruct(struct: protobuf.Struct | undefined): Properties {
  return struct?.toJavaScript() ?? {};
}

/**
 * Properties for a response: no `undefined`, at which the library throws "Unexpected struct type", nothing a terminal
 * acts on.
 */
export function toStruct(properties: Properties): protobuf.Struct {
  const value = clean(properties);
  // `clean` keeps an object an object; Struct has no narrower type for its values.
  return protobuf.Struct.fromJavaScript(value as { [key: string]: protobuf.JavaScriptValue });
}

function clean(value: unknown): unknown {
  if (typeof value === "string") return withoutControls(value);
  if (Array.isArray(value)) return value.filter((item) => item !== undefined).map(clean);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [withoutControls(key), clean(item)]));
}

/** Whether a value, or something in it, is not known yet. */
export function hasUnknown(value: unknown): boolean {
  if (value === unknown) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}
