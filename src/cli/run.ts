/** One run of the command line, from its words to an exit code. Everything of the process comes in, so tests run it as it is. */
import type { Readable, Writable } from 'node:stream'
import type { CommandEvent, CommandIo } from '../node/command.js'
import { type WireError, wireError, INTERNAL } from '../node/control/frames.js'
import { DiadError } from '../substrate/errors.js'
import type { OpenBackend } from './backend.js'
import { EXIT, exitOfCode, exitOfResult } from './exit-codes.js'
import { Output } from './output.js'
import { type HomeRequest, parseCommandLine, type Request, type SimRequest, wantsJson } from './program.js'
import { NO_PROGRESS, type ProgressLine, progressLine } from './progress.js'
import { type Style, styleFor } from './style.js'
import { jsonLine, safe } from './text.js'

export interface Surroundings {
  cwd: string
  env: Readonly<Record<string, string | undefined>>
  stdin: Readable
  stdout: Writable & { isTTY?: boolean, columns?: number }
  stderr: Writable & { isTTY?: boolean }
  /** Calls `listener` for each SIGINT, SIGTERM and SIGHUP until the returned function is called. */
  onSignal: (listener: () => void) => () => void
  /** Ends the process now, without cleaning up. */
  kill: (exit: number) => void
  openBackend: OpenBackend
}

/** Never rejects. */
export async function run (argv: readonly string[], around: Surroundings): Promise<number> {
  const json = wantsJson(argv)
  const style = styleFor(around.stdout.isTTY === true, around.env)
  const controller = new AbortController()
  const output = new Output(around.stdout, () => controller.abort(new DiadError('interrupted', 'the reader of the output went away')))
  // There is nobody left to tell when standard error is gone.
  const ignore = (): void => {}
  around.stderr.on('error', ignore)
  const progress = around.stderr.isTTY === true ? progressLine(around.stderr) : NO_PROGRESS
  let exit: number
  try {
    const request = parseCommandLine(argv, { cwd: around.cwd, env: around.env, print: (text) => output.print(text) })
    exit = request === undefined ? EXIT.done : await perform(request, around, output, progress, style, controller)
    await output.flush()
    if (output.failure !== undefined) throw output.failure
  } catch (err) {
    progress.stop()
    exit = output.closed ? EXIT.done : report(err, json, around, output)
    await output.flush()
  } finally {
    progress.stop()
    output.release()
    around.stderr.off('error', ignore)
  }
  return exit
}

async function perform (request: Request, around: Surroundings, output: Output, progress: ProgressLine, style: Style, controller: AbortController): Promise<number> {
  const { signal } = controller
  let signals = 0
  const stopListening = around.onSignal(() => {
    // The first asks for a clean end and waits for it; who presses again doesn't want to wait.
    progress.hide() // gives the cursor back
    if (++signals === 1) controller.abort(new DiadError('interrupted', 'interrupted', request.command === 'sim' ? 'nothing of the run is kept: the same command begins it anew' : 'run the same command again to go on'))
    else {
      around.stderr.write('diad: interrupted at once\n')
      around.kill(EXIT.interrupted)
    }
  })
  try {
    if (request.command === 'sim') return await simulate(request, around, output, progress, style, signal)
    const { command, args } = request
    await warnOfPassphraseFile(request, around, style)
    const backend = await around.openBackend(request.home, command, args)
    let result: unknown
    try {
      // People's words are loaded only where people read them.
      const words = request.json ? undefined : await import('./render.js')
      signal.throwIfAborted()
      result = await backend.run(command, args, commandIo(request, around, output, progress, signal, (event) => words?.renderEvent(event, style) ?? [], style))
    } catch (err) {
      // A node that is told to stop and stops has done what it was asked for.
      const { code } = wireError(err)
      if (command === 'serve' && signals > 0 && code === 'interrupted') return EXIT.done
      // What breaks while everything is being stopped (a stream that ends early) is no fault of its own.
      throw signal.aborted && code === INTERNAL ? new DiadError('interrupted', 'interrupted', 'run the same command again to go on', { cause: err }) : err
    } finally {
      await backend.close()
    }
    progress.stop()
    await show(request, result, output, style)
    return exitOfResult(result)
  } finally {
    stopListening()
  }
}

/** Not refused: a container's secret or a shared mount may show any mode. A file that can't be looked at is the command's to refuse. */
async function warnOfPassphraseFile ({ passphrase }: HomeRequest, around: Surroundings, style: Style): Promise<void> {
  if (passphrase?.kind !== 'file') return
  const { passphraseFileFault } = await import('../node/keys/passphrase.js')
  for (const path of [passphrase.path, ...passphrase.others ?? []]) {
    const fault = passphraseFileFault(path)
    if (fault !== undefined) around.stderr.write(`diad: ${style.careful('warning:')} ${safe(fault, MESSAGE_CAP)}\n`)
  }
}

async function simulate (request: SimRequest, around: Surroundings, output: Output, progress: ProgressLine, style: Style, signal: AbortSignal): Promise<number> {
  // Loaded here: it brings the simulator along.
  const { simCommand } = await import('./sim-command.js')
  const { result, lines, exit } = await simCommand(request.args, {
    cwd: around.cwd,
    width: around.stdout.columns ?? DEFAULT_WIDTH,
    style,
    signal,
    progress: (amount) => progress.update(amount),
    note (line) {
      progress.hide()
      around.stderr.write(`diad: ${safe(line, MESSAGE_CAP)}\n`)
    }
  })
  progress.stop()
  await output.write(request.json ? jsonLine(result) : lines.join('\n') + '\n')
  return exit
}

/** columns of what isn't a terminal */
const DEFAULT_WIDTH = 100

async function show (request: HomeRequest, result: unknown, output: Output, style: Style): Promise<void> {
  // `cat` has written what there is, and `serve` has told its events.
  if (result === undefined || request.command === 'cat' || request.command === 'serve') return
  if (request.json) {
    for (const one of Array.isArray(result) ? result as unknown[] : [result]) await output.write(jsonLine(one))
    return
  }
  const { renderResult } = await import('./render.js')
  const lines = renderResult(request.command, result, request.args, style)
  if (lines.length > 0) await output.write(lines.join('\n') + '\n')
}

function commandIo (request: HomeRequest, around: Surroundings, output: Output, progress: ProgressLine, signal: AbortSignal, words: (event: CommandEvent) => string[], style: Style): CommandIo {
  let before = ''
  return {
    signal,
    progress: (p) => progress.update(p),
    event (event) {
      if (request.json) {
        // Other commands promise one object; what happens on the way is for people.
        if (request.command === 'serve') output.print(jsonLine(event))
        return
      }
      progress.hide()
      const text = words(event).join('\n') + '\n'
      // A peer says the same again whenever it greets: once is enough for people.
      if (text === before) return
      before = text
      if (request.command === 'serve') output.print(text)
      else around.stderr.write(text)
    },
    warn (line) {
      progress.hide()
      around.stderr.write(`diad: ${style.careful('warning:')} ${safe(line, MESSAGE_CAP)}\n`)
    },
    write: async (bytes) => output.write(bytes, signal),
    ...(request.input ? { input: around.stdin } : {}),
    ...(request.passphrase === undefined ? {} : { passphrase: request.passphrase })
  }
}

/** UTF-16 units of an error's message: long enough for two paths of the greatest length that Linux opens. */
const MESSAGE_CAP = 8192

/** Says what went wrong, once for people and once for scripts. Returns the exit code. */
function report (err: unknown, json: boolean, around: Surroundings, output: Output): number {
  const wire = wordsFor(wireError(err))
  if (json) output.print(jsonLine({ error: wire }))
  for (const line of [wire.message, ...wire.more ?? []]) around.stderr.write(`diad: ${safe(line, MESSAGE_CAP)}\n`)
  if (!json && wire.hint !== '') around.stderr.write(`  ${safe(wire.hint, MESSAGE_CAP)}\n`)
  if (around.env['DIAD_DEBUG'] === '1' && err instanceof Error) around.stderr.write(`${err.stack ?? ''}\n`)
  return exitOfCode(wire.code)
}

function wordsFor (wire: WireError): WireError {
  if (wire.code !== INTERNAL) return wire
  return { code: INTERNAL, message: `internal error: ${wire.message}`, hint: wire.hint === '' ? 'this is a fault of diad\'s; DIAD_DEBUG=1 shows where it happened' : wire.hint }
}
