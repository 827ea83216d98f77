/**
 * Figures as text, the same on every machine (no locale). Each function stands alone: the page's script carries them too, as source text.
 */
import type { Micros } from '../trace.js'

/** `1234567` → `1,234,567` */
export function formatCount (count: number): string {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}

/** A span of virtual time, three or so digits: `420 µs`, `12.3 ms`, `3.21 s`, `4 min 03 s`, `2 h 03 min`, `3 d 04 h`. */
export function formatSpan (span: Micros): string {
  const digits = (value: number): string => value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
  const two = (value: number): string => String(value).padStart(2, '0')
  if (span < 1000) return `${span} µs`
  if (span < 999_500) return `${digits(span / 1000)} ms`
  if (span < 59_950_000) return `${digits(span / 1_000_000)} s`
  const seconds = Math.round(span / 1_000_000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`
  const hours = Math.round(minutes / 60)
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`
}

/** A moment of the run: `0:04:03.214`, with days in front when there are any. */
export function formatClock (moment: Micros): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const millis = Math.floor(moment / 1000)
  const seconds = Math.floor(millis / 1000)
  const days = Math.floor(seconds / 86_400)
  const hours = Math.floor(seconds / 3600) % 24
  const clock = `${hours}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${String(millis % 1000).padStart(3, '0')}`
  return days > 0 ? `${days} d ${clock}` : clock
}

/** Bytes in binary units: `512 B`, `1.50 KiB`, `23.4 MiB`. */
export function formatBytes (bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  if (unit === 0) return `${bytes} B`
  return `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} ${units[unit] ?? ''}`
}

/** Thousandths: `2345` → `2.35`, `12000` → `12` */
export function formatMilli (milli: number): string {
  const [whole = '', decimals = ''] = (milli / 1000).toFixed(2).split('.')
  return milli % 1000 === 0 ? formatCount(milli / 1000) : `${formatCount(Number(whole))}.${decimals}`
}
