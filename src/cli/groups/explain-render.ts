/** An explanation as an indented tree: what it is, the verdict, the checks under it, then what it rests on. */
import { type Fields, fieldsOf, listOf, optionalText, textOf, textsOf } from '../field.js'
import { type Render, statusText } from '../render-parts.js'
import type { Style } from '../style.js'
import { NONE } from '../../substrate/reference.js'

/** levels that are shown: a tree from a daemon of another version is only data */
const DEEPEST = 40

export const renderExplain: Render = (r, style) => {
  const tree = treeLines(r, style, '', '', 0)
  const out = fieldsOf(r['wayOut'])
  const command = optionalText(out, 'command')
  return command === undefined ? tree : [...tree, '', `${style.strong('way out')}  ${textOf(out, 'why')}`, `         $ ${command}`]
}

/** `first` leads the node's own line, `rest` all lines below it. */
function treeLines (n: Fields, style: Style, first: string, rest: string, depth: number): string[] {
  const verdict = fieldsOf(n['verdict'])
  const code = textOf(verdict, 'code', 80)
  const lines = [`${first}${depth === 0 ? style.strong(textOf(n, 'what')) : textOf(n, 'what')}  ${statusText(textOf(verdict, 'status', 40), code, style)}`]
  const ref = optionalText(n, 'ref', 80)
  const children = depth >= DEEPEST ? [] : listOf(n, 'because')
  const body = `${rest}${children.length > 0 ? '│  ' : '   '}`
  // A tombstone names nothing.
  if (ref !== undefined && ref !== NONE && n['brief'] !== true) lines.push(body + style.faint(ref))
  if (code !== 'accepted' && n['brief'] !== true) lines.push(body + style.faint(textOf(verdict, 'meaning')))
  for (const c of listOf(n, 'checks')) lines.push(`${body}${c['ok'] === true ? style.good('✓') : style.bad('✗')} ${textOf(c, 'text')} ${style.faint(`[${textOf(c, 'rule', 20)}]`)}`)
  for (const missing of n['brief'] === true ? [] : textsOf(n, 'missing')) lines.push(`${body}missing ${missing}`)
  children.forEach((child, i) => {
    const last = i === children.length - 1
    lines.push(...treeLines(child, style, `${rest}${last ? '└─ ' : '├─ '}`, `${rest}${last ? '   ' : '│  '}`, depth + 1))
  })
  return lines
}
