/** A CRL that is valid in a moment, and a login that knows another way out than the timer. */
import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { listName, sourceOf, sourced, startRefreshSession, type RefreshSession } from "./refresh-session.ts";

const proxies = ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

describe("a refresh of a CRL that is not valid yet", function () {
  this.timeout(60_000);
  let session: RefreshSession;
  let alter = (text: string): string => text;
  const good = async (): Promise<string> => (await request(session.lab, { certificate: "good" })).outcome;

  before(async () => {
    session = await startRefreshSession({}, () => alter(hostScript()));
  });
  after(() => session.stop());

  it("is preceded by a change that goes the timer's way, whatever proxy the login names", async () => {
    alter = (text) => proxies.map((name) => `export ${name}=http://127.0.0.1:9\n`).join("") + text;
    const outcome = await session.apply(sourced(session.publisher));
    assert.deepEqual([outcome.result, outcome.reasons], ["applied", []]);
    alter = (text) => text;
    assert.equal((await session.timer()).exitCode, 0);
  });

  it("is waited for by a change that needs it", async () => {
    const needed = sourced(session.publisher, { crlSources: [sourceOf([session.publisher.url("new.crl")])] });
    session.publisher.publish("new.crl", await session.pki.crl({ number: 6, thisUpdateHours: 5 / 3600 }));
    const outcome = await session.apply(needed);
    assert.deepEqual([outcome.result, outcome.reasons], ["applied", []]);
    assert.equal(await good(), "200");
    assert.equal((await session.apply(sourced(session.publisher))).result, "applied");
  });

  it("waits until it is, for httpd has no tolerance", async () => {
    const start = Date.now();
    session.publisher.publish(listName, await session.pki.crl({ number: 7, thisUpdateHours: 5 / 3600 }));
    const { exitCode, output } = await session.refresh("--verbose");
    assert.equal(exitCode, 0, output);
    assert.match(output, /^wait \d seconds, until the CRL is valid \.\.\.$/m);
    assert.ok(Date.now() - start >= 4000);
    assert.equal(await good(), "200");
  });

  it("takes none that is valid later than clocks differ, and a change takes none that is not valid", async () => {
    session.publisher.publish(listName, await session.pki.crl({ number: 8, thisUpdateHours: 0.1 }));
    const { exitCode, output } = await session.refresh();
    assert.equal(exitCode, 1);
    assert.match(output, /it is from the future \(.*\); is this host's clock right\?/);
    const near = sourced(session.publisher);
    session.publisher.publish(listName, await session.pki.crl({ number: 9, thisUpdateHours: 1 / 30 }));
    const changed = await session.apply({ ...near, organizations: ["ABC CORPORATION", "OTHER"] });
    assert.equal(changed.result, "applied");
    assert.match(changed.reasons.join(), /the installed CRL stays .*it is from the future/);
    assert.equal(await good(), "200");
  });
});
