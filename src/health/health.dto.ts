/** Whether the process lives. */
export class Health {
  /** @example ok */
  status!: string;
}

/** Whether traffic is welcome, and what each check says: `ok`, `failed` or `draining`. */
export class ReadinessReport {
  ready!: boolean;

  /** @example {"database": "ok", "signing keys": "ok"} */
  checks!: Record<string, string>;
}
