import { plain } from './escape.js'

/** Repeated texts by number, each made showable once. */
export class Words {
  readonly list: string[] = []
  readonly #index = new Map<string, number>()

  of (text: string): number {
    const known = this.#index.get(text)
    if (known !== undefined) return known
    this.#index.set(text, this.list.length)
    return this.list.push(plain(text)) - 1
  }
}

/** At most `most` rows at even distances, always the same ones. */
export function thin<T> (rows: readonly T[], most: number): readonly T[] {
  if (rows.length <= most) return rows
  return Array.from({ length: most }, (_, i) => rows[Math.floor(i * rows.length / most)]).filter(row => row !== undefined)
}
