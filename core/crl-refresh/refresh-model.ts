/** What a site wants of CRLs, and what a host has of them: of whatever kind its server is. */
import type { CrlSummary } from "../pki/summary.ts";
import type { Parsed } from "../schema-kinds.ts";
import type { crlInputs } from "./inputs.ts";

/** What a site wants: its CAs, the CRLs that came with it, and where hosts download others. */
export type CrlInputs = Omit<Parsed<typeof crlInputs>, "caFiles" | "crlFiles">;

/** What a host has. */
export interface CrlFacts {
  readonly server: {
    /** By which its timer and its state are named. */
    readonly instance: string;
    /** The live program, a saved observation, or the files alone. */
    readonly source: "httpd" | "saved" | "files";
  };
  readonly own: {
    /** The installed ones. */
    readonly crls: readonly CrlSummary[];
    /** SHA-256 by name of every file of ours. */
    readonly files: Readonly<Record<string, string>>;
    readonly owner: string | undefined;
  };
  readonly refresh: RefreshFacts;
}

/** What keeps the CRLs of a host fresh, and how it went. */
export interface RefreshFacts {
  /** What runs jobs on this host: systemd, else a cron that is running. */
  readonly scheduler: Scheduler;
  /** SHA-256 by absolute path of the files that start a refresh, of whichever scheduler. */
  readonly timers: Readonly<Record<string, string>>;
  /** systemd's timer is enabled and waiting; with cron, its file is enough. */
  readonly isTimerEnabled: boolean;
  /** Files by which somebody alters the units of the timer. */
  readonly timerDropIns?: readonly string[];
  /** The host's clock, seconds since 1970; only where CRLs are refreshed, because it is another one at each look. */
  readonly nowSeconds: number | undefined;
  readonly lastRun: { readonly seconds: number; readonly result: string; readonly reason?: string } | undefined;
  readonly sources: readonly SourceFacts[];
  /**
   * Why the sample certificate shows nothing of the installed CRLs: what is said of it. @default - it is accepted, or
   * there is none
   */
  readonly sample?: string;
}

/** What was observed of it. */
export interface RefreshObservation {
  readonly server: { /** Seconds since 1970 on the host's clock. */ readonly nowSeconds: number };
  /** Files in our directory, by name. */
  readonly own: ReadonlyMap<string, unknown>;
  /** What runs jobs on this host: systemd, else a cron that is running. */
  readonly scheduler: Scheduler;
  /** Whether systemd's timer of ours is enabled and waiting. */
  readonly isTimerEnabled: boolean;
  /** Files by which somebody alters the units of the timer (`systemctl edit`). */
  readonly timerDropIns?: readonly string[];
  /** Files of ours that start a refresh, by absolute path. */
  readonly timers: ReadonlyMap<string, { readonly sha256: string }>;
  /** What the refresh program remembers, as `readRecord` reads it; empty before the first refresh. */
  readonly refreshRecord: string;
}

export type Scheduler = "systemd" | "cron" | "none";

export interface SourceFacts {
  readonly id: string;
  /** Of its URLs the one that answered last. */
  readonly url?: string;
  readonly lastSuccessSeconds?: number;
  /** Only after the last success. */
  readonly lastFailureSeconds?: number;
  readonly reason?: string;
  /** ISO 8601. */
  readonly thisUpdate?: string;
  readonly nextUpdate?: string;
  readonly number?: string;
  readonly entries?: number;
}
