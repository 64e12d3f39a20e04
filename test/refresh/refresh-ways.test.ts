/** The ways by which a list comes to a host, besides plain http: a real LDAP server, a proxy, and none at all. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { request } from "../../lab/client.ts";
import { startDirectory, type Directory } from "../../lab/directory.ts";
import { crlToDer } from "../../lab/pki-crl.ts";
import { freePort } from "../../lab/ports.ts";
import { bytesOf } from "../faults/bytes.ts";
import { clientsOf, wantedTable } from "../host/clients.ts";
import { listName, sourced, sourceOf, startRefreshSession, type RefreshSession } from "../host/refresh-session.ts";

describe("a host whose CA publishes by LDAP", function () {
  this.timeout(120_000);
  let session: RefreshSession;
  let directory: Directory;

  before(async () => {
    session = await startRefreshSession();
    directory = await startDirectory(crlToDer(await session.pki.crl()));
  });
  after(async () => {
    await directory.stop();
    await session.stop();
  });

  it("takes the list of the directory where the first address fails, and has it at the next refresh", async () => {
    const urls = [session.publisher.url("gone.crl"), directory.url];
    const outcome = await session.apply(sourced(session.publisher, { crlSources: [sourceOf(urls)] }));
    assert.deepEqual([outcome.result, outcome.reasons], ["applied", []]);
    assert.deepEqual(await clientsOf(session.lab), wantedTable);
    assert.match((await session.refresh()).output, /^unchanged: the CRLs are up to date$/m);
    assert.match((await session.refresh("--status")).output, /^ {2}last success +\S+ from ldap:/m);
  });

  it("says what is wrong with an entry that has no list", async () => {
    const url = directory.url.replace("cn=Lab%20Issuing%20CA,", "");
    const outcome = await session.apply(sourced(session.publisher, { crlSources: [sourceOf([url])] }));
    assert.equal(outcome.result, "refused");
    assert.match(outcome.reasons.join("\n"), /the LDAP entry has no certificateRevocationList/);
  });
});

describe("a host that downloads through a proxy", function () {
  this.timeout(120_000);
  const proxyFile = "/etc/clientcert-proxy";
  const password = "prox1-marker";
  let session: RefreshSession;
  let proxy: Proxy;

  before(async () => {
    session = await startRefreshSession();
    proxy = await startProxy();
  });
  after(async () => {
    await proxy.stop();
    await session.stop();
  });

  const wish = () =>
    sourced(session.publisher, { crlRefresh: { times: ["00:30"], spreadMinutes: 0, alarmHours: 24, proxyFile } });

  it("is left alone while the proxy's file can be read by others", async () => {
    const clean = await bytesOf(session);
    const url = `http://ops:${password}@127.0.0.1:${proxy.port}`;
    await session.lab.run(`printf '%s\\n' '${url}' >${proxyFile} && chmod 644 ${proxyFile}`);
    const outcome = await session.apply(wish());
    assert.equal(outcome.result, "refused");
    assert.match(outcome.reasons.join("\n"), /must belong to root and be readable by nobody else \(chmod 600\)/);
    await session.lab.run(`rm ${proxyFile}`);
    assert.equal(await bytesOf(session), clean);
    await session.lab.run(`printf '%s\\n' '${url}' >${proxyFile} && chmod 600 ${proxyFile}`);
  });

  it("asks it with its password, which no process shows in its arguments", async () => {
    const seen: string[] = [];
    proxy.onRequest = async () => void seen.push(await session.lab.run("cat /proc/[0-9]*/cmdline 2>/dev/null || :"));
    assert.equal((await session.apply(wish())).result, "applied");
    proxy.onRequest = undefined;
    const authorization = `Basic ${Buffer.from(`ops:${password}`).toString("base64")}`;
    assert.deepEqual(proxy.requests, [{ url: session.publisher.url(listName), authorization }]);
    assert.match(seen.join(), /curl/);
    assert.doesNotMatch(seen.join(), new RegExp(password));
    assert.equal((await request(session.lab, { certificate: "revoked" })).outcome, "refused");
  });

  it("keeps its list while the proxy is down, and nothing that is kept has the password", async () => {
    await proxy.stop();
    const { exitCode, output } = await session.refresh();
    assert.equal(exitCode, 1);
    assert.match(output, /the download failed: /);
    const kept = await session.lab.run(
      "cat /var/lib/clientcert/*/* /usr/local/ni/apache/conf/clientcert/* 2>/dev/null || :",
    );
    assert.doesNotMatch(kept + output, new RegExp(password));
    assert.equal((await request(session.lab, { certificate: "revoked" })).outcome, "refused");
  });
});

describe("a host that has neither curl nor wget", function () {
  this.timeout(120_000);

  it("is told so, and left alone", async () => {
    const session = await startRefreshSession({ without: ["curl", "wget"] });
    try {
      const clean = await bytesOf(session);
      const outcome = await session.apply(sourced(session.publisher));
      assert.equal(outcome.result, "refused");
      assert.match(outcome.reasons.join("\n"), /neither curl nor wget is installed/);
      assert.equal(await bytesOf(session), clean);
    } finally {
      await session.stop();
    }
  });
});

interface Proxy {
  readonly port: number;
  readonly requests: { readonly url: string | undefined; readonly authorization: string | undefined }[];
  /** While the client waits for its answer. */
  onRequest: (() => Promise<void>) | undefined;
  stop(): Promise<void>;
}

/** Asks for what it is asked for. */
async function startProxy(): Promise<Proxy> {
  const port = await freePort();
  const server = http.createServer((asked, answer) => void pass(asked, answer));
  const pass = async (asked: http.IncomingMessage, answer: http.ServerResponse): Promise<void> => {
    proxy.requests.push({ url: asked.url, authorization: asked.headers["proxy-authorization"] });
    await proxy.onRequest?.();
    http.get(asked.url ?? "", (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
  };
  const proxy: Proxy = {
    port,
    requests: [],
    onRequest: undefined,
    async stop() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return proxy;
}
