/** The version in package.json, which stands above both src/ and dist/. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export function version (): string {
  for (let dir = import.meta.dirname; dirname(dir) !== dir; dir = dirname(dir)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as { name?: unknown, version?: unknown }
      if (name === 'diad' && typeof version === 'string') return version
    } catch { /* not here */ }
  }
  return 'unknown'
}
