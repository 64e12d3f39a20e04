/** Names as httpd's own variables hold them, which earlier versions asked for: there a backslash stands twice. */
import type { Mistake } from "./issues.ts";
import type { SiteClientAuth } from "./schema.ts";

/** Only told: a certificate may really have two. */
export const findDoubledBackslashes = (clientAuth: SiteClientAuth): Mistake[] =>
  (["organizations", "organizationalUnits"] as const).flatMap((key) =>
    clientAuth[key].flatMap((name, i) =>
      name.includes("\\\\") ? [{ path: ["clientAuth", key, i], text: doubled }] : [],
    ),
  );

const doubled =
  "has two backslashes in a row, which is how earlier versions wanted one to be written; write as many as the certificate has";
