/**
 * Text for terminals. Names, petnames, notes and messages may come from hostile domains: whatever a terminal obeys instead of showing (ANSI, bidi
 * overrides, zero-width characters) is written as an escape, and a megabyte of it is cut (THREATS 32).
 */

/** Control, format (bidi, zero-width, tags), surrogate, private-use, line and paragraph separators. */
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu
/** More marks than this on one letter climb over the neighbouring lines. */
const MARK_PILE = /(\p{M}{4})\p{M}+/gu

/** UTF-16 units of one value in human output: the longest published name (1,024 bytes) just fits. */
const VALUE_CAP = 1024

/** `text` as a terminal may have it: `\n`, `\t` and `\r` by their names, everything else that can't be shown as `\u{…}`; cut after `cap`. */
export function safe (text: string, cap: number = VALUE_CAP): string {
  // A cut that its own note would outgrow is none.
  const note = `… (${text.length - cap} more)`
  const cut = text.length > cap + note.length
  // Cut first: nobody's megabyte goes through the expressions below. A surrogate split by the cut is escaped like any lone one.
  const shown = (cut ? text.slice(0, cap) : text).replace(UNSHOWABLE, escapeOne).replace(MARK_PILE, '$1…')
  return cut ? shown + note : shown
}

function escapeOne (char: string): string {
  switch (char) {
    case '\n': return '\\n'
    case '\r': return '\\r'
    case '\t': return '\\t'
    default: return `\\u{${(char.codePointAt(0) as number).toString(16)}}`
  }
}

/** One line of JSON that is safe on a terminal too: the same value, with what can't be shown as \u escapes (JSON.stringify does C0 alone). */
export function jsonLine (value: unknown): string {
  return JSON.stringify(value ?? null).replace(UNSHOWABLE, (char) => {
    let out = ''
    for (let i = 0; i < char.length; i++) out += `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`
    return out
  }) + '\n'
}

const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB'] as const

/** `999 B`, `1.2 kB`, `34 MB`: decimal, at most three digits. */
export function formatBytes (bytes: number): string {
  let value = bytes
  let unit = 'B'
  for (const next of UNITS) {
    if (value < 999.5) break
    value /= 1000
    unit = next
  }
  return `${unit === 'B' || value >= 9.95 ? Math.round(value) : value.toFixed(1)} ${unit}`
}

/** As {@link formatBytes} in powers of 1024, in which a quota is given: `500 MiB`, `1.5 GiB`. */
export function formatQuota (bytes: number): string {
  let value = bytes
  let unit = 'B'
  for (const next of ['KiB', 'MiB', 'GiB', 'TiB']) {
    if (value < 1023.5) break
    value /= 1024
    unit = next
  }
  return `${unit === 'B' || value >= 9.95 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${unit}`
}

/** `1 file`, `20,000 files`. */
export function count (n: number, noun: string): string {
  return `${group(n)} ${noun}${n === 1 ? '' : 's'}`
}

/** 20000 → `20,000`, whatever the locale of the machine. */
export function group (n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',')
}

const KIND_LETTER = { file: '-', dir: 'd', link: 'l' } as const

/** `-rwxr-xr-x` with setuid, setgid and sticky as `ls -l` shows them. */
export function formatMode (kind: keyof typeof KIND_LETTER, mode: number): string {
  const triple = (shift: number, special: number, letter: string): string => {
    const bits = (mode >> shift) & 7
    const x = (bits & 1) !== 0
    const last = (mode & special) !== 0 ? (x ? letter : letter.toUpperCase()) : (x ? 'x' : '-')
    return `${(bits & 4) !== 0 ? 'r' : '-'}${(bits & 2) !== 0 ? 'w' : '-'}${last}`
  }
  return KIND_LETTER[kind] + triple(6, 0o4000, 's') + triple(3, 0o2000, 's') + triple(0, 0o1000, 't')
}

/** Rows as aligned columns; the last one is not padded. `right` lists the columns of numbers. */
export function columns (rows: readonly string[][], right: readonly number[] = [], gap = 2): string[] {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, i) => { widths[i] = Math.max(widths[i] ?? 0, visible(cell)) })
  return rows.map((row) => row.map((cell, i) => {
    const pad = ' '.repeat((widths[i] as number) - visible(cell))
    if (right.includes(i)) return pad + cell
    return i === row.length - 1 ? cell : cell + pad
  }).join(' '.repeat(gap)).trimEnd())
}

// eslint-disable-next-line no-control-regex -- our own colours, put on after escaping
const COLOUR = /\u001b\[\d+m/g

/** Columns of a cell, our colours not counted; wide characters count as one, so names stand last. */
function visible (cell: string): number {
  return Array.from(cell.replace(COLOUR, '')).length
}
