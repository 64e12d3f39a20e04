/** The words of the plan about CRLs that a host downloads by itself: wished, and found there. */

/** Delivers one CRL, of one issuer key. */
export interface CrlSource {
  /** First 8 hex digits of the SHA-256 of `urls`, joined by line ends. */
  readonly id: string;
  /** Tried in this order. */
  readonly urls: readonly string[];
  /** Whether a first list came with the site file. */
  readonly hasFile: boolean;
}

/** When the host refreshes its CRLs, and how. */
export interface CrlRefresh {
  /** `HH:MM`, sorted. */
  readonly times: readonly string[];
  /** Of `times`; undefined: the host's own. */
  readonly timeZone?: string | undefined;
  /** Each refresh begins at random within this after its time: an issuer should not meet all hosts at once. */
  readonly spreadMinutes: number;
  /** An installed CRL that ends within this is warned of. */
  readonly alarmHours: number;
  /** On the host, root's alone: one line, the proxy's URL, with credentials where it needs them. */
  readonly proxyFile?: string | undefined;
}

/** Not at midnight, when issuers have their maintenance. */
export const defaultCrlRefresh: CrlRefresh = {
  times: ["00:30", "06:30", "12:30", "18:30"],
  spreadMinutes: 20,
  alarmHours: 24,
};

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
  /** Why the sample certificate shows nothing of the installed CRLs: what is said of it. @default - it is accepted, or there is none */
  readonly sample?: string;
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
