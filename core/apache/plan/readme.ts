/** Renders the README beside our files, for an administrator who finds them and knows nothing of Pulumi. */
import { undoPath } from "../../own-files.ts";
import { hasUndo } from "./clientcert-conf.ts";
import { includeLine, type Desired, type Facts } from "../model.ts";

/** Renders the README in English and in ASCII, so that any terminal can show it. */
export function renderReadme(desired: Desired, facts: Facts): string {
  const owner = desired.owner.replace(/[^\x20-\x7e]/g, "?");
  return `These files belong to clientcert, which asks browsers for client certificates on this server.
Owner: ${owner}

clientcert.conf   the directives; each TLS virtual host includes it by the line
                  ${includeLine}
ca-*.pem          the certification authorities whose certificates are accepted
crl.pem           the certificates that were revoked (only where a list was configured)
${desired.crlSources.length > 0 ? refreshNote(desired, facts) : ""}
Change nothing here by hand: the next "pulumi up" puts it back.

${hasUndo(facts) ? undoNote(facts) : undoByHandNote}`;
}

const undoNote = (facts: Facts): string => `To undo everything without Pulumi, as root:

    sh ${undoPath(facts.server.instance)}

It takes our lines out of the configuration, removes these files, makes the running server read its
configuration again, and looks at it. All other lines stay as they are.
`;

const undoByHandNote = `To undo everything: delete the lines that include clientcert.conf, check with httpd -t, reload httpd,
and delete this directory.
`;

function refreshNote({ crlRefresh, sample }: Desired, { server }: Facts): string {
  const zone = crlRefresh.timeZone === undefined ? "" : ` (${crlRefresh.timeZone})`;
  const program = `sh /var/lib/clientcert/${server.instance}/refresh`;
  const sampleLine =
    "sample.pem        a user's certificate: a new CRL with which it would be refused is not installed\n";
  return `refresh.conf      where this server downloads its lists of revoked certificates (CRLs)
${sample === undefined ? "" : sampleLine}
It downloads them at ${crlRefresh.times.join(", ")}${zone}.
To do so now, and to see how the last times went, as root:

    ${program}
    ${program} --status
`;
}
