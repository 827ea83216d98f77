import { describe, expect, test } from 'vitest'
import { progressText } from '../../src/cli/progress.js'
import { columns, formatBytes, formatMode, group, jsonLine, safe } from '../../src/cli/text.js'
import type { Progress } from '../../src/node/command.js'

describe('safe', () => {
  test.each<[string, string]>([
    ['plain Grüße 日本語 🎉 a\\b', 'plain Grüße 日本語 🎉 a\\b'],
    ['\u001b]0;title\u0007', '\\u{1b}]0;title\\u{7}'],
    ['a\r\n\tb\u0000\u007f', 'a\\r\\n\\tb\\u{0}\\u{7f}'],
    ['\u202eevil\u2066\u200b\ufeff\u061c\u00ad', '\\u{202e}evil\\u{2066}\\u{200b}\\u{feff}\\u{61c}\\u{ad}'],
    ['\u2028\u2029\u0085', '\\u{2028}\\u{2029}\\u{85}'],
    ['\ud800x', '\\u{d800}x'],
    ['e' + '\u0301'.repeat(500), 'e\u0301\u0301\u0301\u0301…']
  ])('%j', (text, shown) => expect(safe(text)).toBe(shown))

  test('cuts, and says how much', () => {
    expect(safe('x'.repeat(1_000_000), 10)).toBe('xxxxxxxxxx… (999990 more)')
    expect(safe('ab🎉' + 'x'.repeat(20), 3)).toBe('ab\\u{d83c}… (21 more)')
    // never longer than what was cut
    for (let n = 0; n < 40; n++) expect(safe('x'.repeat(n), 10).length).toBeLessThanOrEqual(n)
  })
})

test('JSON stays the same value and is safe to look at', () => {
  const value = { 'k\u202e': 'a\u001b\u009b\u200b\u{e0041}é🎉"\\\ud800' }
  const line = jsonLine(value)
  expect(JSON.parse(line)).toEqual(value)
  expect(line).toBe('{"k\\u202e":"a\\u001b\\u009b\\u200b\\udb40\\udc41é🎉\\"\\\\\\ud800"}\n')
  expect(jsonLine(undefined)).toBe('null\n')
})

test.each<[number, string]>([
  [0, '0 B'], [999, '999 B'], [1000, '1.0 kB'], [9949, '9.9 kB'], [9950, '10 kB'], [999_499, '999 kB'], [999_500, '1.0 MB'], [1.5e9, '1.5 GB'], [9e15, '9.0 PB']
])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

test('numbers, modes and columns', () => {
  expect([group(0), group(999), group(1000), group(12345678)]).toEqual(['0', '999', '1,000', '12,345,678'])
  expect([formatMode('file', 0o640), formatMode('dir', 0o7777), formatMode('link', 0o7000)]).toEqual(['-rw-r-----', 'drwsrwsrwt', 'l--S--S--T'])
  expect(columns([['a', '1', 'x'], ['\u001b[32mbbb\u001b[39m', '100', 'yy']], [1])).toEqual(['a      1  x', '\u001b[32mbbb\u001b[39m  100  yy'])
})

test.each<[Progress, number, string]>([
  [{ phase: 'importing', done: 8400, total: 20_000, unit: 'files', bytes: 120e6 }, 0.42, 'importing  ██████████░░░░░░░░░░░░░░   42%  8,400/20,000 files  120 MB  60 MB/s'],
  [{ phase: 'importing', done: 1, unit: 'files' }, 0, 'importing  1 file'],
  [{ phase: 'fetching', done: 5e6, unit: 'bytes' }, 0, 'fetching  5.0 MB  2.5 MB/s'],
  [{ phase: 'done\u001b[2J', done: 3, total: 2, unit: 'blocks' }, 1.5, 'done\\u{1b}[2J  ████████████████████████  100%  3/2 blocks']
])('progress %#', (progress, fraction, text) => expect(progressText({ progress, seconds: 2 }, fraction)).toBe(text))
