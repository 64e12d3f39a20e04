/** A covered virtual host that answers other ports, too: what is done in it is done there. */
import assert from "node:assert/strict";
import { host, planOf } from "./apache-observation.ts";

const listens = "Listen 443\nListen 8443\n";
const require = "SSLVerifyClient require\n";
const told = (text: string, listen = listens): string[] =>
  planOf(listen + text, { adopt: true, phpVersion: "8.2" }).diagnostics.flatMap(({ severity, place }) =>
    severity === "note" ? [] : [`${severity}${place.replace(/^.*(?=:)/, "")}`],
  );

describe("a covered virtual host that answers another port", () => {
  it("is told", () => {
    assert.deepEqual(told(host("", "a.example", "*:443 *:8443")), ["warning:4"]);
    assert.deepEqual(told(host("", "a.example", "*")), ["warning:4"]);
  });

  it("lets adopt overrule and take out nothing, because the other port would notice", () => {
    assert.deepEqual(told(host(require, "a.example", "*:443 *:8443")), ["warning:4", "conflict:8"]);
    assert.deepEqual(told(host("SSLCACertificatePath a\n", "a.example", "*:443 *:8443")), ["warning:4", "conflict:8"]);
  });

  it("does not answer a port of another virtual host, nor one on which httpd does not listen", () => {
    const elsewhere = host("", "other.example", "*:8443");
    assert.deepEqual(told(host(require, "a.example", "*") + elsewhere), ["warning:8"]);
    assert.deepEqual(told(host(require, "a.example", "*:443 *:9443")), ["warning:8"]);
  });
});

describe("the main server on the port, at an address that no virtual host answers", () => {
  const rule = '<Location "/">\nSSLRequire %{SSL_CLIENT_S_DN_O} eq "Board"\n</Location>\n';

  it("keeps what stands at server level, because adopt would open it there", () => {
    const bound = host("", "a.example", "10.0.0.1:443");
    assert.deepEqual(told(`SSLEngine on\n${rule}${bound}`, "Listen 443\n"), ["warning:3", "conflict:5"]);
    assert.deepEqual(told(`SSLEngine on\n${rule}${host()}`, "Listen 443\n"), []);
  });
});
