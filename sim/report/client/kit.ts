/**
 * Tools of the page's script. Every function in this folder is written into the page as its source text, so it may use only its arguments, the
 * language itself and types: nothing from the module around it.
 */
import type { Micros } from '../../trace.js'
import type { Page, PageElement } from '../dom.js'

export interface Kit {
  readonly page: Page
  /** people who asked for less motion get steps instead of movement */
  readonly calm: () => boolean
  readonly narrow: () => boolean
  readonly byId: (id: string) => PageElement
  readonly svg: (tag: string, attributes: Readonly<Record<string, string | number>>, ...children: Array<PageElement | string>) => PageElement
  readonly element: (tag: string, attributes: Readonly<Record<string, string>>, ...children: Array<PageElement | string>) => PageElement
  readonly formatClock: (moment: Micros) => string
  readonly formatSpan: (span: Micros) => string
  readonly formatCount: (count: number) => string
  readonly arrivalTimes: (published: ReadonlyArray<{ update: number }>, views: ReadonlyArray<{ t: Micros, brought: readonly number[] }>) => Micros[]
  readonly percentile: (sorted: readonly number[], thousandths: number) => number
  /** index of the first row later than `t`; rows in order of time */
  readonly after: (rows: ReadonlyArray<readonly [Micros, ...number[]]>, t: Micros) => number
}

export function createKit (page: Page, figures: Pick<Kit, 'formatClock' | 'formatSpan' | 'formatCount' | 'arrivalTimes' | 'percentile'>): Kit {
  const calm = page.matchMedia('(prefers-reduced-motion: reduce)')
  const narrow = page.matchMedia('(max-width: 640px)')
  const fill = (element: PageElement, attributes: Readonly<Record<string, string | number>>, children: Array<PageElement | string>): PageElement => {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value))
    element.append(...children)
    return element
  }
  return {
    ...figures,
    page,
    calm: () => calm.matches,
    narrow: () => narrow.matches,
    byId (id) {
      const element = page.document.getElementById(id)
      if (element === null) throw new Error(`the page has no #${id}`)
      return element
    },
    svg: (tag, attributes, ...children) => fill(page.document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children),
    element: (tag, attributes, ...children) => fill(page.document.createElement(tag), attributes, children),
    after (rows, t) {
      let [low, high] = [0, rows.length]
      while (low < high) {
        const middle = (low + high) >> 1
        if ((rows[middle]?.[0] ?? 0) <= t) low = middle + 1
        else high = middle
      }
      return low
    }
  }
}
