/**
 * Every text of a run is hostile: names come from scenario files, codes and reasons from adversaries' bytes. HTML is therefore made by one tagged
 * template that escapes whatever it is not told to trust, and data goes to the script as JSON that cannot end its element.
 */

/** Text that is markup already. Only `html` and `trusted` make it. */
export class Html {
  constructor (readonly markup: string) {}
}

export type Piece = Html | string | number | readonly Html[]

const ENTITIES = new Map([['&', '&amp;'], ['<', '&lt;'], ['>', '&gt;'], ['"', '&quot;'], ["'", '&#39;'], ['`', '&#96;']])

/** Controls, bidirectional overrides, zero-width characters and line separators: what makes a name look like another one. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu

export function escapeHtml (text: string): string {
  return text.replace(/[&<>"'`]/g, character => ENTITIES.get(character) ?? '')
}

/**
 * A text as it may be shown: well-formed, characters that cannot be seen written as `\u{202e}`, at most `limit` UTF-16 units.
 * It is not escaped for HTML; that is done where it is put in.
 */
export function plain (text: string, limit = 160): string {
  const whole = text.slice(0, limit * 2).toWellFormed().replace(UNSEEN, character => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
  if (whole.length <= limit) return whole
  return `${whole.slice(0, limit - 1).toWellFormed().replace(/\ufffd$/, '')}…`
}

/** Markup with every interpolation escaped, but for other markup. */
export function html (parts: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  let markup = parts[0] ?? ''
  pieces.forEach((piece, i) => { markup += `${markupOf(piece)}${parts[i + 1] ?? ''}` })
  return new Html(markup)
}

/** For text of ours only: the style sheet, the client script, escaped JSON. */
export function trusted (markup: string): Html {
  return new Html(markup)
}

/** JSON that can stand in a `<script>` element: no `<`, `>`, `&`, and no line separators that older parsers trip over. */
export function jsonForScript (value: unknown): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function markupOf (piece: Piece): string {
  if (piece instanceof Html) return piece.markup
  if (typeof piece === 'string') return escapeHtml(plain(piece, 2000))
  if (typeof piece === 'number') return String(piece)
  return piece.map(part => part.markup).join('')
}
