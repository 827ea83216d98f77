/**
 * A headless Chromium of the system, spoken to over a pipe (no package, no port). Tests that want one are skipped where none is found.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']

/** The path or name of a Chromium that starts, by CHROMIUM or from PATH; undefined when there is none. */
export function findBrowser (): string | undefined {
  const wanted = process.env['CHROMIUM']
  return (wanted === undefined ? NAMES : [wanted]).find(name => spawnSync(name, ['--version'], { stdio: 'ignore', timeout: 10_000 }).status === 0)
}

export interface Look { readonly width: number, readonly height: number, readonly dark: boolean, readonly reducedMotion: boolean }

export interface Tab {
  /** what went wrong in the page so far: exceptions, console errors, blocked loads, requests other than for the page itself */
  readonly faults: string[]
  readonly open: (url: string) => Promise<void>
  readonly look: (look: Look) => Promise<void>
  /** value of an expression in the page; promises are waited for */
  readonly evaluate: (expression: string) => Promise<any> // eslint-disable-line @typescript-eslint/no-explicit-any
  readonly press: (key: string, code?: string) => Promise<void>
  readonly click: (x: number, y: number) => Promise<void>
  readonly screenshot: (file: string, whole?: boolean) => Promise<void>
  readonly close: () => Promise<void>
}

interface Reply { readonly id?: number, readonly method?: string, readonly params?: any, readonly result?: any, readonly error?: { readonly message: string } } // eslint-disable-line @typescript-eslint/no-explicit-any

export async function openTab (binary: string): Promise<Tab> {
  const profile = mkdtempSync(join(tmpdir(), 'diad-browser-'))
  const child = spawn(binary, ['--headless', '--remote-debugging-pipe', `--user-data-dir=${profile}`, '--no-sandbox', '--disable-gpu', '--no-first-run', '--hide-scrollbars',
    '--disable-background-networking', '--disable-component-update', '--disable-sync', 'about:blank'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] })
  const [input, output] = [child.stdio[3] as Writable, child.stdio[4] as Readable]
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const waiting = new Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>() // eslint-disable-line @typescript-eslint/no-explicit-any
  const loads: Array<() => void> = []
  const faults: string[] = []
  let session: string | undefined
  let page = ''
  let count = 0
  let rest = ''
  child.once('error', error => { for (const { reject } of waiting.values()) reject(error) })
  output.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\0')
    rest = parts.pop() ?? ''
    for (const part of parts) hear(JSON.parse(part) as Reply)
  })
  function hear ({ id, method, params, result, error }: Reply): void {
    if (id !== undefined) {
      const asked = waiting.get(id)
      waiting.delete(id)
      if (error === undefined) asked?.resolve(result)
      else asked?.reject(new Error(error.message))
    } else if (method === 'Page.loadEventFired') loads.splice(0).forEach(loaded => loaded())
    else if (method === 'Runtime.exceptionThrown') faults.push(`exception: ${params.exceptionDetails.exception?.description ?? params.exceptionDetails.text}`)
    else if (method === 'Log.entryAdded' && params.entry.level === 'error') faults.push(`log: ${params.entry.text}`)
    else if (method === 'Network.requestWillBeSent' && params.request.url !== page) faults.push(`request: ${String(params.request.url).slice(0, 100)}`)
  }
  const send = (method: string, params: object = {}): Promise<any> => new Promise((resolve, reject) => { // eslint-disable-line @typescript-eslint/no-explicit-any
    count += 1
    waiting.set(count, { resolve, reject })
    input.write(`${JSON.stringify({ id: count, method, params, ...session === undefined ? {} : { sessionId: session } })}\0`)
  })
  const { targetInfos } = await send('Target.getTargets')
  const target = targetInfos.find((info: { type: string }) => info.type === 'page').targetId
  session = (await send('Target.attachToTarget', { targetId: target, flatten: true })).sessionId
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`)
  return {
    faults,
    async open (url) {
      page = url
      const loaded = new Promise<void>(resolve => loads.push(resolve))
      await send('Page.navigate', { url })
      await loaded
    },
    async look ({ width, height, dark, reducedMotion }) {
      await send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false })
      await send('Emulation.setEmulatedMedia', { features: [
        { name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }, { name: 'prefers-reduced-motion', value: reducedMotion ? 'reduce' : 'no-preference' }] })
    },
    async evaluate (expression) {
      const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
      if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
      return result.value
    },
    async press (key, code = key) {
      const text = key.length === 1 ? { text: key } : {}
      await send('Input.dispatchKeyEvent', { type: 'keyDown', key, code, ...text, windowsVirtualKeyCode: key === 'Tab' ? 9 : key === ' ' ? 32 : 0 })
      await send('Input.dispatchKeyEvent', { type: 'keyUp', key, code })
    },
    async click (x, y) {
      for (const type of ['mousePressed', 'mouseReleased']) await send('Input.dispatchMouseEvent', { type, x, y, button: 'left', clickCount: 1 })
    },
    async screenshot (file, whole = false) {
      const { data } = await send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: whole })
      writeFileSync(file, Buffer.from(data, 'base64'))
    },
    async close () {
      session = undefined
      await send('Browser.close').catch(() => undefined)
      await ended
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    }
  }
}
