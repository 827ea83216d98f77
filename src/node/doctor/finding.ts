/** What `diad doctor` says: one line for each thing it looked at. */
export interface Finding {
  readonly level: 'ok' | 'warn' | 'bad'
  readonly what: string
  /** a path, a domain, a lane: where to look */
  readonly where: string
  /** what the person can do; '' where nothing is to be done */
  readonly do: string
}

export const ok = (what: string, where = ''): Finding => ({ level: 'ok', what, where, do: '' })
export const warn = (what: string, where: string, todo: string): Finding => ({ level: 'warn', what, where, do: todo })
export const bad = (what: string, where: string, todo: string): Finding => ({ level: 'bad', what, where, do: todo })

/** An error as a finding: its hint says what to do. */
export function trouble (err: unknown, where: string, level: 'warn' | 'bad' = 'bad'): Finding {
  const hint = err instanceof Error && 'hint' in err && typeof err.hint === 'string' ? err.hint : ''
  return { level, what: err instanceof Error ? err.message : String(err), where, do: hint }
}
