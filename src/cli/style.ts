/** Colours, by what they mean. Put on after escaping, so that nothing from outside brings its own. */
import picocolors from 'picocolors'

export interface Style {
  good: (text: string) => string
  bad: (text: string) => string
  careful: (text: string) => string
  faint: (text: string) => string
  strong: (text: string) => string
}

/** NO_COLOR (no-color.org) wins over FORCE_COLOR, both over what the stream is. */
export function styleFor (isTTY: boolean, env: Readonly<Record<string, string | undefined>>): Style {
  const set = (name: string): boolean => (env[name] ?? '') !== ''
  const on = !set('NO_COLOR') && ((set('FORCE_COLOR') && env['FORCE_COLOR'] !== '0') || (isTTY && env['TERM'] !== 'dumb'))
  const c = picocolors.createColors(on)
  return { good: c.green, bad: c.red, careful: c.yellow, faint: c.dim, strong: c.bold }
}
