/**
 * The part of a browser that the page's script uses, as types. The compiler's own DOM library would put `name`, `status`, `event` and 900 more
 * globals into every file of the program, so that a misspelt variable there would no longer be an error.
 */

export interface PageEvent {
  readonly type: string
  readonly key?: string
  readonly clientX?: number
  readonly clientY?: number
  readonly shiftKey?: boolean
  readonly ctrlKey?: boolean
  readonly altKey?: boolean
  readonly metaKey?: boolean
  readonly target: PageElement | null
  preventDefault: () => void
}

export interface PageElement {
  readonly tagName: string
  textContent: string | null
  /** of inputs and selects */
  value: string
  hidden: boolean
  disabled: boolean
  readonly clientWidth: number
  readonly classList: { toggle: (name: string, on?: boolean) => boolean }
  readonly style: { setProperty: (name: string, value: string) => void }
  getAttribute: (name: string) => string | null
  setAttribute: (name: string, value: string) => void
  removeAttribute: (name: string) => void
  append: (...children: Array<PageElement | string>) => void
  replaceChildren: (...children: Array<PageElement | string>) => void
  addEventListener: (type: string, listener: (event: PageEvent) => void) => void
  closest: (selector: string) => PageElement | null
  matches: (selector: string) => boolean
  focus: (options?: { preventScroll: boolean }) => void
  scrollIntoView: (options: { block: 'start' | 'nearest', behavior: 'auto' | 'smooth' }) => void
  getBoundingClientRect: () => { readonly left: number, readonly top: number, readonly width: number, readonly height: number }
}

export interface MediaQuery {
  readonly matches: boolean
  addEventListener: (type: 'change', listener: () => void) => void
}

export interface Page {
  readonly document: {
    readonly body: PageElement
    readonly documentElement: PageElement
    readonly activeElement: PageElement | null
    getElementById: (id: string) => PageElement | null
    createElement: (tag: string) => PageElement
    createElementNS: (namespace: string, tag: string) => PageElement
    addEventListener: (type: string, listener: (event: PageEvent) => void) => void
  }
  readonly navigator: { readonly clipboard?: { writeText: (text: string) => Promise<void> } }
  matchMedia: (query: string) => MediaQuery
  requestAnimationFrame: (callback: (now: number) => void) => number
  addEventListener: (type: string, listener: () => void) => void
  setTimeout: (callback: () => void, milliseconds: number) => number
}
