/**
 * Finds names in the form of httpd's own variables, where each backslash is doubled: earlier versions wanted this form.
 */
import type { Mistake } from "./issues.ts";
import type { SiteClientAuth } from "./schema.ts";

/** Warns of names with two backslashes in a row. This is no mistake for certain: a certificate may really have them. */
export const findDoubledBackslashes = (clientAuth: SiteClientAuth): Mistake[] =>
  (["organizations", "organizationalUnits"] as const).flatMap((key) =>
    clientAuth[key].flatMap((name, i) =>
      name.includes("\\\\") ? [{ path: ["clientAuth", key, i], text: doubled }] : [],
    ),
  );

const doubled =
  "has two backslashes in a row, which is how earlier versions wanted one to be written; write as many as the certificate has";
