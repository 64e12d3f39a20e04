/**
 * Names what is ours on a host: the files in our directory, and the directory where the host keeps the state of a
 * server. The timer's files are named in `core/crl-refresh/refresh-files.ts`.
 */
import type { CaBundle } from "./pki/summary.ts";

export const confName = "clientcert.conf";
export const crlName = "crl.pem";
export const readmeName = "README";
export const refreshName = "refresh.conf";
export const sampleName = "sample.pem";

/** The name of the CA bundle. Another bundle gets another name, so the old one stays until nothing names it. */
export const caName = ({ ca }: { readonly ca: CaBundle }): string => `ca-${ca.sha256.slice(0, 8)}.pem`;

/** The program that undoes everything without Pulumi. Only a host that `pulumi up` has changed has it. */
export const undoPath = (instance: string): string => `${stateDirectory(instance)}/undo`;

/** The directory in which the host keeps our state; only root has access. */
export const stateDirectory = (instance: string): string => `/var/lib/clientcert/${instance}`;
