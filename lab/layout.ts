/** Where httpd's files lie on a host, and how it is started. */
import type { MachineFile } from "./machine.ts";
import type { LabHostOptions, LabPorts } from "./options.ts";
import type { LabPki } from "./pki.ts";
import { distributionLayout } from "./distributions.ts";
import { productFiles, productPidFile, productRoot, productSetUp, productStart } from "./product.ts";

export interface Layout {
  readonly serverRoot: string;
  readonly configFile: string;
  readonly pidFile: string;
  /** Where httpd says why it does not start. */
  readonly errorLog: string;
  readonly files: ReadonlyMap<string, MachineFile>;
  /** Shell commands that finish the tree. */
  readonly setUp: string;
  /** Shell command that starts httpd. */
  readonly start: string;
}

/** The layout that the options ask for. */
export function layoutOf(options: LabHostOptions, ports: LabPorts, pki: LabPki): Layout {
  const layout = options.layout ?? "product";
  if (layout !== "product") return distributionLayout(layout, options, ports, pki);
  return {
    serverRoot: productRoot,
    configFile: `${productRoot}/conf/httpd.conf`,
    pidFile: productPidFile(options),
    errorLog: `${productRoot}/logs/error_log`,
    files: productFiles(options, ports, pki),
    setUp: productSetUp,
    start: productStart,
  };
}
