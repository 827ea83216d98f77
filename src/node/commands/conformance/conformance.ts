/**
 * `diad conformance`: holds this program, or another one, against vectors of verdicts. Needs no home: each vector brings everything that is held.
 * Source: protocols/vectors/README.md.
 */
import { judgeVector } from '../../../authority/conformance/judge.js'
import { isAnswer, listed } from '../../../authority/conformance/judge-admission.js'
import { type Answer, readVector, type Vector } from '../../../authority/conformance/vector.js'
import { DiadError } from '../../../substrate/errors.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { OtherImplementation } from './against.js'
import { vectorsAt, vectorsFrom } from './read-vectors.js'
import type { Compared } from './types.js'

type Args = CommandArgs['conformance']
type Result = CommandResults['conformance']

const DEFAULT_SECONDS = 10

export async function conformance (_context: unknown, args: Args, io: CommandIo): Promise<Result> {
  const { installNativeCrypto } = await import('../../native-crypto.js')
  installNativeCrypto()
  if (args.answer) {
    await answerLines(io)
    return undefined
  }
  if (args.path === undefined && io.input === undefined) throw new DiadError('usage', 'there are no vectors', 'name a file, or write diad conformance < FILE')
  const vectors = args.path === undefined ? await vectorsFrom(io.input as AsyncIterable<Uint8Array>, io.signal) : vectorsAt(args.path)
  const other = args.against === undefined ? undefined : new OtherImplementation(args.against, 1000 * (args.timeoutSeconds ?? DEFAULT_SECONDS), io.warn)
  // Ctrl-C: the other program doesn't have to be waited for.
  const stop = (): void => { other?.close() }
  io.signal.addEventListener('abort', stop)
  try {
    return await compareAll(vectors, async (vector, i) => other === undefined ? judgeVector(vector) : await other.ask(vector, i), io)
  } finally {
    io.signal.removeEventListener('abort', stop)
    other?.close()
  }
}

async function compareAll (vectors: readonly Vector[], judge: (vector: Vector, index: number) => Promise<Answer | string>, io: CommandIo): Promise<Result> {
  const results: Compared[] = []
  let views = 0
  for (const [i, vector] of vectors.entries()) {
    if (vector.expect === undefined) throw new DiadError('vectors-malformed', `vector "${vector.name}" doesn't say what to expect`, 'protocols/vectors/README.md says how vectors are written')
    const got = await judge(vector, i)
    io.signal.throwIfAborted()
    const { expect } = vector
    const said = typeof got !== 'string'
    // Who makes no views yet is still judged by the verdicts.
    if (said && expect.view !== undefined && got.view !== undefined) views++
    results.push({
      name: vector.name,
      about: vector.code,
      agrees: said && isAnswer(expect, got),
      expected: wordsOf(expect, expect, said ? got : expect),
      got: said ? wordsOf(got, expect, got) : got
    })
    io.progress({ phase: 'judging', done: i + 1, total: vectors.length, unit: 'blocks' })
  }
  const agreed = results.filter((r) => r.agrees).length
  const { status, code } = agreed === results.length ? { status: 'accepted', code: 'accepted' } : { status: 'rejected', code: 'differs' }
  return { status, code, vectors: results.length, agreed, views, results }
}

/** One of the two for people: the verdict, and what else they differ in. */
function wordsOf (one: Answer, expect: Answer, got: Answer): string {
  const views = expect.view !== undefined && got.view !== undefined && expect.view !== got.view
  const names = expect.names !== undefined && listed(expect) !== listed(got)
  return `${one.status}: ${one.code}${views ? `, view ${one.view ?? ''}` : ''}${names ? `, ${listed(one)}` : ''}`
}

/** The other side of `--against`: answers each line as it comes. */
async function answerLines (io: CommandIo): Promise<void> {
  const encoder = new TextEncoder()
  const decoder = new TextDecoder()
  let text = ''
  let number = 0
  for await (const part of io.input ?? []) {
    io.signal.throwIfAborted()
    text += decoder.decode(part, { stream: true })
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end)
      text = text.slice(end + 1)
      number++
      if (line.trim() !== '') await io.write(encoder.encode(`${JSON.stringify(answerTo(line, number))}\n`))
    }
  }
}

function questionIn (line: string, number: number): Record<string, unknown> {
  const wrong = (what: string, cause?: unknown): DiadError => new DiadError('vectors-malformed', `line ${number} of standard input is ${what}, so there is nothing to answer`, 'each line is one question as protocols/vectors/README.md describes; a whole file of vectors is judged without --answer', { cause })
  try {
    const asked: unknown = JSON.parse(line)
    if (typeof asked !== 'object' || asked === null || Array.isArray(asked)) throw wrong('not an object of JSON')
    return asked as Record<string, unknown>
  } catch (err) {
    throw err instanceof SyntaxError ? wrong('not a line of JSON', err) : err
  }
}

function answerTo (line: string, number: number): Record<string, unknown> {
  const asked = questionIn(line, number)
  // What nobody tells us isn't needed to judge.
  const vector = readVector({ name: `number ${String(asked['id'])}`, rule: '-', code: '-', ...asked })
  return { ...(asked['id'] === undefined ? {} : { id: asked['id'] }), ...judgeVector(vector) }
}
