/** What is ours on a host: names of the files in our directory, and where the host keeps the state of a server. */
import type { CaBundle } from "./pki/summary.ts";

export const confName = "clientcert.conf";
export const crlName = "crl.pem";
export const readmeName = "README";
export const refreshName = "refresh.conf";
export const sampleName = "sample.pem";

/** Name of the CA bundle: another bundle gets another name, so the old one stays until nothing names it. */
export const caName = ({ ca }: { readonly ca: CaBundle }): string => `ca-${ca.sha256.slice(0, 8)}.pem`;

/** The way out without Pulumi, which only a host has that `pulumi up` has changed. */
export const undoPath = (instance: string): string => `${stateDirectory(instance)}/undo`;

/** What the host itself keeps of us, root's alone. */
export const stateDirectory = (instance: string): string => `/var/lib/clientcert/${instance}`;
