import assert from "node:assert/strict";
import { emptyChange } from "../../core/apache/model.ts";
import { createHost } from "../../provider/apache/host.ts";
import type { Target } from "../../core/site/target.ts";
import type { Transaction } from "../../provider/apache/host-model.ts";
import { HostError } from "../../provider/remote/host-error.ts";

const target: Target = {
  connection: {
    ...{ address: "10.0.0.10", port: 22, user: "root", hostKey: "", login: { from: "agent" }, sudo: { how: "none" } },
  },
  detection: {},
};
const transaction: Transaction = {
  ...{
    id: "1",
    owner: "o/p/s/web1",
    takeOver: false,
    configFile: "/conf",
    remove: false,
    contents: new Map(),
    probes: new Map(),
  },
  change: emptyChange,
};

/** The kind of the error that an answer of the host's program becomes. */
const kindOf = (...answer: readonly string[]): Promise<string> => kindAfter([answer]);

/** The same of several questions, one answer each; an Error: there is none. */
async function kindAfter(answers: readonly (readonly string[] | HostError)[]): Promise<string> {
  const left = [...answers];
  const host = createHost({
    async execute(_, { data }) {
      const answer = left.shift() ?? [];
      if (answer instanceof HostError) throw answer;
      const [, mark = ""] = /^mark (.*)$/m.exec(Buffer.isBuffer(data) ? data.toString("latin1") : "") ?? [];
      const stdout = Buffer.from(answer.map((part) => `\n${mark} ${part}\n`).join(""));
      return { exitCode: 1, signal: undefined, stdout, stderr: "" };
    },
    close: async () => undefined,
  });
  const error = await host.apply(target, transaction).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof HostError, String(error));
  return error.kind;
}

describe("an error of the host's program", () => {
  it("says that nothing was changed, whatever its kind", async () => {
    assert.equal(await kindOf("error disk no room in /var/lib/clientcert; nothing was changed", "done"), "refused");
    assert.equal(await kindOf("step judge", "error configuration httpd does not accept it", "done"), "refused");
    assert.equal(await kindOf("error locked another run works on this server", "done"), "locked");
  });

  it("says nothing of a change whose connection was cut, whatever comes of the question how it ended", async () => {
    const cut = new HostError("cut", "10.0.0.10:22: cut");
    const second: readonly (readonly string[] | HostError)[] = [
      new HostError("unreachable", "10.0.0.10:22: no answer"),
      ["error unknown the run did not begin before the connection was cut, so nothing was changed; run again", "done"],
      ["error no-httpd no httpd runs here", "done"],
    ];
    for (const answer of second) assert.equal(await kindAfter([cut, answer]), "cut");
  });

  it("says so no more behind the result of a change", async () => {
    assert.equal(await kindOf("result applied shadow 3", "error changed a file went away", "done"), "answer");
  });
});
