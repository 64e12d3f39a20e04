/**
 * Other people's directives in a file that is included in several places: each place has a say in what becomes of them.
 */
import assert from "node:assert/strict";
import { readCertificates } from "../../core/pki/certificate.ts";
import type { Desired } from "../../core/apache/model.ts";
import { plan } from "../../core/apache/plan/plan.ts";
import { makeAuthorities, makeCertificate, name } from "../fixtures/pki.ts";
import { factsOf, host, observedFile, serverOf, wanted } from "./apache-observation.ts";

const { root, issuing } = makeAuthorities();
const old = makeCertificate({ subject: name(["O", "Old"], ["CN", "Old CA"]) });
const { certificates } = readCertificates(Buffer.from(root.pem + issuing.pem));
const desired: Desired = {
  ...wanted,
  ca: { sha256: "a".repeat(64), certificates: certificates.map(({ summary }) => summary) },
  adopt: true,
};
const namedFiles = Object.entries({ "ours.pem": root.pem + issuing.pem, "old.pem": old.pem }).map(([file, bytes]) => ({
  ...{ path: `/etc/httpd/${file}`, modifiedSeconds: 1, changedSeconds: 1, bytes },
}));

const snippet = "/etc/httpd/snippet.conf";
const take = "Include snippet.conf\n";
const rule = 'SSLRequire %{SSL_CLIENT_S_DN_O} eq "Board"\n';
const asks = "SSLVerifyClient optional\n";
const part = (lines: string, path = "/admin"): string => `<Location "${path}">\n${lines}</Location>\n`;

/** Conflicts, and how many lines of the snippet an adoption comments out. */
function outcome(text: string, included: string): { conflicts: string[]; marks: number } {
  const before = serverOf(`${text}SSLVerifyDepth 4\n`, { namedFiles });
  const files = new Map([...before.files, [snippet, observedFile(snippet, included)]]);
  const { diagnostics, change } = plan(desired, factsOf({ ...before, files }));
  const conflicts = diagnostics.flatMap(({ severity, place }) => (severity === "conflict" ? [place] : []));
  const edit = change?.edits.find(({ path }) => path === snippet);
  return { conflicts, marks: edit?.splices.length ?? 0 };
}

describe("a file of other people's directives that is included twice", () => {
  for (const [what, line] of [
    ["SSLRequire", rule],
    ["SSLVerifyClient require", "SSLVerifyClient require\n"],
    ["Satisfy Any", "Satisfy Any\n"],
  ] as const)
    for (const [order, text] of [
      ["first", part(take, "/") + part(take)],
      ["last", part(take) + part(take, "/")],
    ] as const)
      it(`keeps ${what} in force for a part of the site, where the whole site takes it ${order}`, () => {
        const { conflicts, marks } = outcome(host(`SSLCACertificateFile ours.pem\n${asks}${text}`), line);
        assert.deepEqual([conflicts, marks], [[`${snippet}:1`], 0]);
      });

  it("loses its rule where all places are about whole sites", () => {
    const text = host(part(take, "/")) + host(part(take, "/"), "b.example");
    assert.deepEqual(outcome(text, rule), { conflicts: [], marks: 1 });
  });

  it("counts in each virtual host in the order of that one", () => {
    const own = "SSLCACertificateFile ours.pem\n";
    const text = host(asks + take) + host(`${asks}${own}${take}${part(rule)}`, "b.example");
    assert.deepEqual(outcome(text, "SSLCACertificateFile old.pem\n").conflicts, ["/etc/httpd/httpd.conf:17"]);
    const reversed = host(asks + take) + host(`${asks}${take}${own}${part(rule)}`, "b.example");
    assert.deepEqual(outcome(reversed, "SSLCACertificateFile old.pem\n").conflicts, []);
  });

  it("counts at server level too, where a virtual host has read it before", () => {
    const text = host(take) + host(asks + part(rule), "b.example") + take;
    const { conflicts } = outcome(text, "SSLCACertificateFile old.pem\n");
    assert.deepEqual(conflicts, ["/etc/httpd/httpd.conf:14"]);
    const trusted = outcome(text, "SSLCACertificateFile ours.pem\n");
    assert.deepEqual(trusted.conflicts, []);
  });

  it("names an issuer only for the section that does", () => {
    const named = part(`SSLRequire %{SSL_CLIENT_I_DN_CN} eq "Old CA"\n${take}`, "/old") + part(take);
    const text = host(`SSLCACertificateFile old.pem\n${asks}${named}`);
    assert.deepEqual(outcome(text, rule).conflicts, [`${snippet}:1`]);
  });
});

describe("other people's directives in .htaccess files, which are not read", () => {
  const told = (ca: string): string => {
    const overridden = "<Directory /x>\nAllowOverride All\n</Directory>\n";
    const text = host(`${asks}SSLCACertificateFile ${ca}\n${overridden}SSLVerifyDepth 4\n`);
    const { diagnostics } = plan(desired, factsOf(serverOf(text, { namedFiles })));
    return diagnostics.find((finding) => /htaccess/.test(finding.text))?.text ?? "";
  };

  it("are said to let in holders of CAs that are trusted from now on", () => {
    assert.match(
      told("old.pem"),
      /Satisfy Any\), and let in holders of .*Harbour Root CA.* \(SSLVerifyClient, SSLRequire\)$/,
    );
    assert.match(told("ours.pem"), /Satisfy Any\)$/);
  });
});
