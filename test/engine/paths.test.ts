/** A host whose paths are Japanese under the real engine: its state, diffs and outputs are text. */
import assert from "node:assert/strict";
import { type LabSite, labSite } from "./lab-site.ts";
import { moveTree, oddNames, shellWord, type OddNames } from "../attacks/odd-root.ts";

/** What `--expect-no-changes` ends with when there are changes. */
const changesFound = 7;

describe("a Japanese server root under the real engine", function () {
  this.timeout(240_000);
  const names = oddNames["with Japanese names"] as OddNames; // it is there
  const config = `${names.root}/conf/${names.config}`;
  const included = `${names.root}/conf/extra/${names.included}`;
  const conf = `${names.root}/conf/clientcert/clientcert.conf`;
  let lab: LabSite;

  before(async () => {
    lab = await labSite({ stopped: true });
    await moveTree(lab.host, names);
    await lab.writeSite({ more: { config } });
  });
  after(() => lab.remove());

  const pulumi = async (wanted: number, ...words: string[]): Promise<string> => {
    const { status, output } = await lab.project.pulumi(...words);
    assert.equal(status, wanted, output);
    // Bytes of UTF-8 that were taken for letters.
    assert.doesNotMatch(output, /[ãåæçèé]|\\x[89a-f]/);
    return output;
  };

  it("goes up once, and then there is nothing to do, with a refresh and without", async () => {
    assert.ok((await pulumi(0, "preview")).includes(conf));
    await pulumi(0, "up", "--yes", "--skip-preview");
    await pulumi(0, "preview", "--expect-no-changes", "--diff");
    await pulumi(0, "preview", "--expect-no-changes", "--refresh");
    await pulumi(0, "refresh", "--yes", "--expect-no-changes");
  });

  it("is told in outputs as its administrator writes it", async () => {
    const outputs = await pulumi(0, "stack", "export");
    assert.ok(outputs.includes(`|apache|${config}"`), "id");
    assert.ok(outputs.includes(`a.lab.test (${included}:`), "virtual hosts");
    assert.ok(outputs.includes(`"${conf}":`), "files");
  });

  it("shows drift under its own names, mends it, and is taken back", async () => {
    await lab.host.run(`sed -i '/clientcert/d' ${shellWord(included)}`);
    const preview = await pulumi(changesFound, "preview", "--expect-no-changes", "--refresh", "--diff");
    assert.ok(preview.includes(`${included}:`), preview);
    await lab.writeSite({ more: { config, reloadPendingEdits: true } });
    await pulumi(0, "up", "--yes", "--skip-preview", "--refresh");
    await pulumi(0, "preview", "--expect-no-changes", "--refresh");
    await pulumi(0, "destroy", "--yes", "--skip-preview");
    assert.equal((await lab.host.run("find /opt /var/lib -path '*clientcert*'")).trim(), "");
  });
});
