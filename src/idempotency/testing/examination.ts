/** A request that a handler accepts. */
export interface Example {
  /** Path and query, as they are sent. */
  path: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
}

/** What is to be examined, and how. */
export interface Examination {
  /** By `Class.method`. A function makes a new one for each key: for a request that can't be executed twice, such as a registration. */
  examples: Record<string, Example | (() => Example | Promise<Example>)>;
  /** What else is to stay as it is, beside the database: what was mailed, what a store of files holds. As JSON. */
  observe?: () => unknown;
  /** Equal requests at once. Default: 5. */
  parallel?: number;
  /** Headers of every request, for authentication. */
  headers?: Record<string, string>;
}

/** What a handler must do, by name. */
export type Rule =
  /** There is an example. */
  | 'example'
  /** The example has a final answer. */
  | 'succeeds'
  /** Sent again, it gets the same bytes, and nothing changes. */
  | 'replays'
  /** Sent several times at once, it has the effect of one. */
  | 'one effect'
  /** Cut off before its COMMIT, it leaves nothing, and sent again it has the effect of one. */
  | 'undone'
  /** Cut off behind its COMMIT, sent again it has the effect of one. */
  | 'kept'
  /** It calls nothing outside while its transaction is open. */
  | 'no calls outside';

/** A rule that a handler breaks. */
export interface Finding {
  /** `Class.method` */
  handler: string;
  rule: Rule;
  /** What was seen. */
  detail: string;
}
