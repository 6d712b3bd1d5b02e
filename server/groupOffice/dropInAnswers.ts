/** What the drop-in's methods answer (`module/group-office/controller/Session.php`). Times are ms since the epoch. */
export interface InfoAnswer {
  /** Of the drop-in's methods; this half speaks 1. */
  readonly version: number;
  /** Group-Office's own clock. */
  readonly now: number;
  readonly mayManage: boolean;
  /** The class of Group-Office's cache, its short name: `Apcu`, `Disk`, `Memcached`, `None`. */
  readonly cache: string;
  /** Differs where several PHP pools or web nodes have a cache each. */
  readonly cacheId: string;
  /** The caller's own session; null where another user was asked for. */
  readonly sessionId: string | null;
  /** By which authenticators the caller's session was opened; empty after remember-me. */
  readonly passedAuthenticators: readonly string[];
  readonly user: {
    readonly id: string;
    readonly username: string;
    readonly email: string;
    readonly displayName: string;
    /** A drop-in of before 0.2 does not tell these two. */
    readonly recoveryEmail?: string | null;
    readonly language?: string | null;
    readonly enabled: boolean;
    readonly isAdmin: boolean;
    readonly authenticators: readonly string[];
  } | null;
}

export interface ListAnswer {
  readonly sessions: readonly {
    readonly id: string;
    /** `pending`: the password was right and the second factor is still awaited; `remembered`: a remember-me cookie. */
    readonly kind: 'session' | 'pending' | 'remembered';
    readonly current: boolean;
    /** Of Group-Office's list of clients: the same browser at the same address. */
    readonly clientId: string;
    readonly client: string | null;
    readonly platform: string | null;
    readonly userAgent: string | null;
    readonly remoteAddress: string | null;
    readonly issuedAt: number;
    readonly lastSeenAt: number | null;
  }[];
}

export interface EndAllAnswer {
  readonly ended: {
    readonly sessions: number;
    /** Remember-me rows. */
    readonly remembered: number;
    /** Of these, the ones of browsers that had no session. */
    readonly rememberedAlone: number;
    /** Sessions that had lost their row and lived on in the cache. */
    readonly cachedSessions: number;
    readonly cachedLogins: number;
  };
  readonly kept: { readonly apiKeys: number; readonly newer: number };
}
