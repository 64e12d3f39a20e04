/** The main job, step by step. Each step returns what was seen, or throws where something was not as expected. */
import assert from "node:assert/strict";
import { type HandshakeRow, handshakeTable, request } from "../client.ts";
import type { LabHost } from "../host.ts";
import { changedPaths } from "../snapshot.ts";
import { lockOut } from "./lockout.ts";
import { type HostName, listName, type Scene, treeOnly } from "./scene.ts";
import { showOutput, showTable } from "./show.ts";

export interface Step {
  readonly title: string;
  readonly about: string;
  /** Returns what was seen, in plain words. */
  readonly run: (scene: Scene) => Promise<readonly string[]>;
}

const confFile = "/usr/local/ni/apache/conf/clientcert/clientcert.conf";
/**
 * The size of an upload, as phones send photos to the groupware. It is sent without `Expect`, which would hide a buffer
 * that is too small.
 */
const uploadBytes = 40 * 1024 * 1024;

export const steps: readonly Step[] = [
  {
    title: "pulumi preview",
    about:
      "The site file names one host. The plan is our own file and one line in each TLS virtual host. The host's real httpd is started on a copy, in namespaces of its own, to judge it. Nothing on the host is touched.",
    run: preview,
  },
  {
    title: "pulumi up",
    about:
      "The same plan for real: judged, swapped by renames, reloaded with SIGUSR1, looked at. Clients keep connecting meanwhile.",
    run: up,
  },
  {
    title: "what clients see now",
    about:
      "Real TLS handshakes with certificates of a lab PKI. Nobody needs a certificate; a bad one is refused. Where PHP is real, its page plays the vendor's rule: who presents a certificate is shown the switch that limits logins to certificates.",
    run: handshakes,
  },
  { title: "a second pulumi up", about: "Nothing has changed, so nothing may be done.", run: secondUp },
  {
    title: "somebody edits our file by hand",
    about: "SSLVerifyClient becomes none. A plain preview must see it: exit 7, with file, line and directive.",
    run: tamper,
  },
  {
    title: "pulumi up repairs it",
    about: "Back to what the site file says; the generation goes up by one.",
    run: repair,
  },
  {
    title: "two poisoned changes",
    about:
      "First a CRL file that is garbage: refused before any host is asked. Then a host on which every check passes, httpd -t included, and on which TLS 1.2 alone would end every handshake: only the shadow start finds it.",
    run: poison,
  },
  {
    title: "a host that was set up by hand, as the vendor's manual says",
    about:
      "Its directives contradict ours, so they are conflicts with their places, until the site file says adopt: true. Then revocation works there, too. Its owner has closed /admin to all but his own certificates, and that stays closed.",
    run: adopt,
  },
  {
    title: "a revocation arrives by itself",
    about:
      "The site file now names the address of the CA's list instead of a file. The hosts download it with the change, and cron does so from then on. The CA revokes a certificate; the timer's own command brings it in.",
    run: refresh,
  },
  {
    title: "the CA's server goes wrong",
    about:
      "It answers 404, then with a web page, then with a list whose signature is wrong. With the manual's cron and wget each of them empties or breaks httpd's file. Here the installed list stays, and a preview says what is wrong.",
    run: badDownloads,
  },
  {
    title: "a CRL that would lock everybody out",
    about:
      "Its authority key identifier names another certificate of the CA, as after a renewal: OpenSSL then counts no CRL of that CA, and httpd refuses every holder of a certificate. No check of the file shows it. httpd is asked, by a probe certificate that carries the CA's name and a signature that does not verify.",
    run: (scene) => lockOut(scene, timerCommand),
  },
  {
    title: "pulumi destroy",
    about: "Every file of the customer has its bytes, mode and owner of before, and nothing of ours is left.",
    run: destroy,
  },
];

async function preview(scene: Scene): Promise<string[]> {
  await scene.site({ hosts: ["web1"] });
  const { status } = await scene.pulumi("preview");
  assert.equal(status, 0, `preview ended with ${status}`);
  await requireUntouched(scene, "web1");
  return ["exit 0; the tree of web1 is byte for byte as before"];
}

async function up(scene: Scene): Promise<string[]> {
  const { status } = await scene.pulumi("up", "--skip-preview");
  assert.equal(status, 0, `up ended with ${status}`);
  return ["exit 0"];
}

async function handshakes({ hosts: { web1 } }: Scene): Promise<string[]> {
  const rows = await handshakeTable(web1);
  const hasPhp = rows.some((row) => row.switch !== undefined);
  showTable([
    ["  client", "answer", "SSL_CLIENT_VERIFY", ...(hasPhp ? ["the product's switch"] : [])],
    ...rows.map((row) => [`  ${row.client}`, row.outcome, row.verify ?? "-", row.switch ?? (hasPhp ? "-" : "")]),
  ]);
  const { none, good, wrongOrganization, revoked, foreign } = answersOf(rows);
  const [hidden, shown] = hasPhp ? [" hidden", " shown"] : ["", ""];
  assert.deepEqual(
    { none, good, wrongOrganization, revoked, foreign },
    {
      none: `200 NONE${hidden}`,
      good: `200 SUCCESS${shown}`,
      wrongOrganization: "403",
      revoked: "refused",
      foreign: "refused",
    },
  );
  const tls13 = await request(web1, { tlsVersion: "TLSv1.3" });
  assert.equal(tls13.outcome, "refused", "PHP is 8.3 or later, so TLS 1.3 must be off");
  const upload = await request(web1, { path: web1.page, bodyBytes: uploadBytes, certificate: "good" });
  assert.match(upload.body, new RegExp(`body=${uploadBytes}$`, "m"), `the upload ended with ${upload.outcome}`);
  return [
    "a certificate without O and C gets in, as a visitor without a certificate does: the vendor's rule asks for nothing else",
    hasPhp
      ? "TLS 1.2 only, as the vendor asks for from PHP 8.3 on"
      : "TLS 1.2 only, as the vendor asks for from PHP 8.3 on (here a stand-in that only carries its version)",
    "a POST of 40 MB arrives",
  ];
}

/** Maps each client to its answer and to what the page makes of its certificate. */
function answersOf(rows: readonly HandshakeRow[]): Record<string, string> {
  const words = (row: HandshakeRow) => [row.outcome, row.verify, row.switch].filter((word) => word !== undefined);
  return Object.fromEntries(rows.map((row) => [row.client, words(row).join(" ")]));
}

async function secondUp(scene: Scene): Promise<string[]> {
  const before = await scene.hosts.web1.snapshot();
  const { status } = await scene.pulumi("up", "--skip-preview", "--expect-no-changes");
  assert.equal(status, 0, `up ended with ${status}`);
  const changed = changedPaths(before, await scene.hosts.web1.snapshot()).filter(
    (name) => !/\/logs\/|^\/run|^\/tmp/.test(name),
  );
  assert.deepEqual(changed, []);
  return ["exit 0 with --expect-no-changes; no file on web1 was written"];
}

async function tamper(scene: Scene): Promise<string[]> {
  await scene.hosts.web1.run(`sed -i 's/^SSLVerifyClient optional/SSLVerifyClient none/' ${confFile}`);
  const { status, output } = await scene.pulumi("preview", "--expect-no-changes");
  assert.equal(status, 7, `preview ended with ${status}`);
  assert.match(output, /clientcert\.conf:\d+.*SSLVerifyClient/);
  return ["exit 7, and the line"];
}

async function repair(scene: Scene): Promise<string[]> {
  const { status } = await scene.pulumi("up", "--skip-preview");
  assert.equal(status, 0, `up ended with ${status}`);
  const { outcome } = await request(scene.hosts.web1, { certificate: "revoked" });
  assert.equal(outcome, "refused", `the revoked certificate got ${outcome}`);
  return ["exit 0; the revoked certificate is refused again"];
}

async function poison(scene: Scene): Promise<string[]> {
  const { web1, web3 } = scene.hosts;
  const executions = await web1.executions();
  await scene.site({ hosts: ["web1"], crlFile: "garbage.pem" });
  const garbage = await scene.pulumi("preview", "--refresh=false");
  assert.notEqual(garbage.status, 0, "the garbage CRL was accepted");
  assert.equal(await web1.executions(), executions, "a host was asked although the site file is wrong");
  await requireServing(web1);

  await scene.site({ hosts: ["web1", "web3"] });
  const syntax =
    "/usr/local/ni/apache/bin/httpd -d /usr/local/ni/apache -f conf/httpd.conf -t -c 'SSLProtocol -All +TLSv1.2' 2>&1";
  assert.match(await web3.run(syntax), /Syntax OK/);
  const dead = await scene.pulumi("up", "--skip-preview");
  assert.notEqual(dead.status, 0, "the change that ends every handshake was accepted");
  assert.match(dead.output, /shadow/);
  await requireUntouched(scene, "web3");
  await requireServing(web3);
  return [
    "the garbage CRL: refused, no host was asked",
    "the cipher suite: refused by the shadow, web3 is untouched and still answers",
  ];
}

async function adopt(scene: Scene): Promise<string[]> {
  const { web2 } = scene.hosts;
  await scene.site({ hosts: ["web1", "web2"] });
  const conflict = await scene.pulumi("preview");
  assert.notEqual(conflict.status, 0, "the conflicts were not reported");
  assert.match(conflict.output, /httpd-ssl\.conf:\d+/);
  const before = (await request(web2, { certificate: "revoked" })).outcome;
  assert.equal(before, "200", "the manual's way does not check revocation on Apache 2.4");
  assert.deepEqual(await adminAnswers(web2), closedAdmin, "/admin before");
  await scene.site({ hosts: ["web1", "web2"], adopt: true });
  const { status } = await scene.pulumi("up", "--skip-preview");
  assert.equal(status, 0, `up ended with ${status}`);
  const { outcome } = await request(web2, { certificate: "revoked" });
  assert.equal(outcome, "refused", `the revoked certificate got ${outcome}`);
  assert.deepEqual(await adminAnswers(web2), closedAdmin, "/admin after");
  return [
    "the conflicts, with their places",
    "a revoked certificate got 200 before (the manual's sample checks nothing) and is refused now",
    "/admin, before and after: refused without a certificate, 403 with one of no organization, 200 for whom the owner's rule lets in",
  ];
}

const closedAdmin = { none: "refused", noOrganization: "403", good: "200" };

/**
 * Asks by TLS 1.2. With TLS 1.3 httpd asks for a certificate that a single URL requires only after the handshake, and
 * few clients can answer at that time.
 */
async function adminAnswers(host: LabHost): Promise<Record<string, string>> {
  const wish = { path: "/admin/", tlsVersion: "TLSv1.2" } as const;
  const [none, noOrganization, good] = await Promise.all([
    request(host, wish),
    request(host, { ...wish, certificate: "noOrganization" }),
    request(host, { ...wish, certificate: "good" }),
  ]);
  return { none: none.outcome, noOrganization: noOrganization.outcome, good: good.outcome };
}

/** The command of the timer, as cron runs it. */
const timerCommand = "sh -c \"$(sed -n 's/^[0-9].* root //p' /etc/cron.d/clientcert-*)\"";

async function refresh(scene: Scene): Promise<string[]> {
  const { web1 } = scene.hosts;
  await scene.site({ hosts: ["web1", "web2"], adopt: true, downloads: true });
  const { status } = await scene.pulumi("up", "--skip-preview");
  assert.equal(status, 0, `up ended with ${status}`);
  const before = (await request(web1, { certificate: "good" })).outcome;
  assert.equal(before, "200", `the good certificate got ${before}`);
  scene.publisher.publish(listName, await web1.pki.revoke(web1.pki.clients.good.serial));
  await web1.run(timerCommand);
  const { outcome } = await request(web1, { certificate: "good" });
  assert.equal(outcome, "refused", `the revoked certificate got ${outcome}`);
  await requireServing(web1);
  const again = await scene.pulumi("preview", "--expect-no-changes");
  assert.equal(again.status, 0, `preview ended with ${again.status}: a renewed list is no drift`);
  return [
    "a certificate got 200, was revoked, and is refused after the command of cron's line",
    "to Pulumi the renewed list is no change",
  ];
}

async function badDownloads(scene: Scene): Promise<string[]> {
  const { web1 } = scene.hosts;
  const list = "/usr/local/ni/apache/conf/clientcert/crl.pem";
  const before = await web1.run(`sha256sum ${list}`);
  for (const fault of ["notFound", "htmlPage", "tampered"] as const) {
    scene.publisher.fault(listName, fault);
    const said = await web1.run("sh /var/lib/clientcert/*/refresh || echo exit $?");
    showOutput(said, false);
    assert.match(said, /^exit 1$/m);
    assert.equal(await web1.run(`sha256sum ${list}`), before);
    await requireServing(web1);
    assert.equal((await request(web1, { certificate: "good" })).outcome, "refused");
    assert.equal((await request(web1, { certificate: "wrongOrganization" })).outcome, "403");
  }
  const preview = await scene.pulumi("preview", "--expect-no-changes");
  assert.equal(preview.status, 0, `preview ended with ${preview.status}`);
  assert.match(preview.output, /issuing\.crl/);
  return [
    "exit 1 each time, with the reason; the installed list is the same, and everybody gets what they got before",
    "the preview warns of the source",
  ];
}

async function destroy(scene: Scene): Promise<string[]> {
  const { status } = await scene.pulumi("destroy", "--skip-preview");
  assert.equal(status, 0, `destroy ended with ${status}`);
  await requireUntouched(scene, "web1");
  await requireUntouched(scene, "web2");
  await requireServing(scene.hosts.web1);
  await requireServing(scene.hosts.web2);
  return ["web1 and web2: every file as before, nothing of ours left, both still answer"];
}

async function requireUntouched(scene: Scene, name: HostName): Promise<void> {
  assert.deepEqual(
    changedPaths(scene.before[name], await scene.hosts[name].snapshot(treeOnly)),
    [],
    `${name} was changed`,
  );
}

async function requireServing(host: LabHost): Promise<void> {
  const { outcome } = await request(host);
  assert.equal(outcome, "200", `a client without a certificate got ${outcome}`);
}
