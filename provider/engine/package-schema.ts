/** The Pulumi package schema. `pulumi import` writes a program's code from it. */
import type { z } from "zod";
import { version } from "../version.ts";

const text = { type: "string" };
const texts = { type: "array", items: text };
/** Objects whose fields are described by the schema of the site file. */
const object = { type: "object", additionalProperties: { $ref: "pulumi.json#/Any" } };
const objects = { type: "array", items: object };
type JsonSchema = z.core.JSONSchema._JSONSchema;

/**
 * A field of the inputs in the form in which Pulumi declares it: a list of texts or of objects, an object, or a plain
 * type. The resource itself checks the content of an object. Throws an error for a schema that is only true or false.
 */
function propertyOf(schema: JsonSchema): object {
  if (typeof schema === "boolean") throw new Error("an input has no schema");
  const { description = "", items, type } = schema;
  const isOfTexts = typeof items === "object" && "type" in items && items.type === "string";
  if (type === "array") return described(isOfTexts ? texts : objects, description);
  return described(type === "object" ? object : { type }, description);
}

const described = (type: object, description: string): object => ({ ...type, description });

/** The inputs that no program gives: Check and Read add them. */
const computed = {
  files: described({ type: "object", additionalProperties: text }, "Added by the provider: what diffs show."),
  facts: described(text, "Added by the provider: what the last look found, packed."),
};

const outputs = {
  generation: described({ type: "integer" }, "Counts real changes of the host."),
  lastChange: described(texts, "What the last change did, in this run or an earlier one."),
  judge: described(text, "Which judge spoke at the last change: shadow, minimal or syntax."),
  serverVersion: described(text, "Version of httpd."),
  opensslVersion: described(text, "Version of OpenSSL."),
  php: described(text, "Version of PHP, and where it was found."),
  tlsRule: described(text, "TLS versions that follow, with the reason."),
  virtualHosts: described(texts, "Virtual hosts of the port."),
  caNotAfter: described(text, "When the first CA certificate ends."),
  crlNextUpdate: described(text, "When the first CRL ends, and with it access by certificate."),
  crlStatus: described(objects, "Of each CRL source: last success and failure, dates, number and entries of its CRL."),
  timer: described(object, "What starts the refresh of the CRLs, and how the last one ended."),
  warnings: described(texts, "What should be looked at."),
  problems: described(texts, "What keeps the next change from being made."),
  owed: described(text, "Why the live server does not run what its files say."),
  stopped: described(text, "That the server should run and does not, and what to do."),
};

/** The names of what only the provider knows. Components must name them, or the properties never exist. */
export const outputNames: readonly string[] = Object.keys(outputs);

/** The schema as JSON. */
export async function packageSchema(): Promise<string> {
  // The inputs are loaded late: a start needs no schema, and components need only the names of outputs.
  const { makeInputsSchema } = await import("../../core/apache/inputs.ts");
  const { properties = {}, required = [] } = makeInputsSchema();
  const declared = Object.entries(properties).map(([name, schema]) => [name, propertyOf(schema)]);
  // as: `propertyOf` returns objects.
  const inputs = { ...Object.fromEntries(declared), ...computed } as Record<string, object>;
  const resource = {
    description: "Client-certificate authentication on one Apache httpd: asked for, never required.",
    inputProperties: inputs,
    requiredInputs: required,
    properties: { ...inputs, ...outputs },
    required: [
      "generation",
      "lastChange",
      "serverVersion",
      "opensslVersion",
      "tlsRule",
      "virtualHosts",
      "crlStatus",
      "warnings",
      "problems",
    ],
  };
  const languages = { language: { nodejs: { packageName: "clientcert" } } };
  return JSON.stringify({
    name: "clientcert",
    version,
    ...languages,
    resources: { "clientcert:apache:ClientAuth": resource },
  });
}
