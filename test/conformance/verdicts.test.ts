/** Runs protocols/vectors/verdicts as any other implementation would, and holds the set of vectors against the table of codes. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { judgeVector } from '../../src/authority/conformance/judge.js'
import { isAnswer } from '../../src/authority/conformance/judge-admission.js'
import { readDocument, readVector, type Vector } from '../../src/authority/conformance/vector.js'
import { VERDICT_CODES, type VerdictCode } from '../../src/authority/verdict.js'
import { MalformedError } from '../../src/substrate/errors.js'
import { VECTOR_FILES, VERDICTS } from '../../scripts/make-verdict-vectors.js'
import { NO_VECTOR_YET } from '../../scripts/vectors/verdicts/without.js'
import { useRememberingVerifier } from '../helpers/remembering-verifier.js'

beforeAll(useRememberingVerifier)

const texts = new Map(readdirSync(VERDICTS).sort().map((name) => [name, readFileSync(join(VERDICTS, name), 'utf8')]))
const files = new Map([...texts].map(([name, text]) => [name, readDocument(JSON.parse(text))]))
const all = [...files.values()].flat()

describe('the files', () => {
  it.each([...VECTOR_FILES])('%s is what the script makes', (name, make) => {
    expect(make() === texts.get(name), 'run `npx tsx scripts/make-verdict-vectors.ts` and look at what changed').toBe(true)
  })

  it('there are no others', () => expect([...texts.keys()]).toEqual([...VECTOR_FILES.keys()].sort()))

  it('no name stands twice in a file, so a report points at one vector', () => {
    for (const [name, vectors] of files) expect([name, vectors.length - new Set(vectors.map((v) => v.name)).size]).toEqual([name, 0])
  })
})

describe('verdicts', () => {
  it.each([...files])('%s', (_name, vectors) => {
    const wrong = vectors.flatMap((v) => {
      const got = judgeVector(v)
      return v.expect !== undefined && isAnswer(v.expect, got) ? [] : [{ name: v.name, expect: v.expect, got }]
    })
    expect(wrong).toEqual([])
  })

  it('R5: the order and the number of times in which the same things come never show', () => {
    const wrong = all.filter((v) => !('index' in v.subject) || v.subject.kind === 'record').filter((v) => {
      type Lists = Pick<Vector, 'artifacts' | 'logs'>
      const turn = <T extends Lists>(of: T): T => ({ ...of, artifacts: [...of.artifacts].reverse(), logs: [...of.logs].reverse() })
      const double = <T extends Lists>(of: T): T => ({ ...of, artifacts: [...of.artifacts.slice(2), ...of.artifacts, ...of.artifacts.slice(0, 3)], logs: [...of.logs, ...of.logs] })
      return [turn, double].some((way) => {
        const got = judgeVector({ ...way(v), other: v.other === undefined ? undefined : way(v.other) })
        return v.expect === undefined || !isAnswer(v.expect, got) || got.view !== v.expect.view
      })
    })
    expect(wrong.map((v) => v.name)).toEqual([])
  })

  it('a refusal takes milliseconds, whatever the bytes declare', () => {
    for (const v of [...files.get('shapes.json') ?? [], ...files.get('bytes.json') ?? []].filter((v) => v.subject.kind === 'shape')) {
      const start = performance.now()
      judgeVector(v)
      expect([v.name, performance.now() - start < 250]).toEqual([v.name, true])
    }
  })
})

/** The codes without vectors when the files were first made. Codes may be taken out of it, never put in. */
const FIRST_WITHOUT = new Set(['log-withheld', 'wrong-answer', 'input-contested', 'input-unbound', 'receipt-invalid'])

describe('the codes', () => {
  it.each([...VERDICT_CODES.keys()])('%s: one vector that must get it and one that just misses it', (code) => {
    // Whatever has another code misses this one.
    const about = code === 'accepted' ? all : all.filter((v) => v.code === code)
    const must = about.filter((v) => v.expect?.code === code).length
    const good = about.filter((v) => v.expect?.code !== code).length
    if (NO_VECTOR_YET.has(code)) expect([must, good], 'it has vectors now: take it out of NO_VECTOR_YET').toEqual([0, 0])
    else expect([must > 0, good > 0], `${must} vectors get it, ${good} miss it`).toEqual([true, true])
  })

  it('those without a vector only grow fewer', () => {
    expect([...NO_VECTOR_YET.keys()].filter((code) => !FIRST_WITHOUT.has(code))).toEqual([])
  })

  it('each vector says a known code, with its status and a rule', () => {
    for (const v of all) {
      expect(VERDICT_CODES.has(v.code as VerdictCode), v.name).toBe(true)
      expect(v.expect?.status, v.name).toBe(VERDICT_CODES.get(v.expect?.code as VerdictCode)?.status)
      expect(v.rule, v.name).toMatch(/^[A-Z]-?\d[a-c]?$/)
    }
  })
})

describe('a vector that is none', () => {
  const good = { name: 'n', rule: 'M1', code: 'accepted', artifacts: ['00'], subject: { shape: 0 } }
  it.each<[string, unknown]>([
    ['no object', 7],
    ['no name', { ...good, name: undefined }],
    ['artifacts that are no list', { ...good, artifacts: 7 }],
    ['no subject', { ...good, subject: {} }],
    ['an index below zero', { ...good, subject: { shape: -1 } }],
    ['upper-case hex', { ...good, artifacts: ['AA'] }],
    ['a part that isn\'t there', { ...good, artifacts: ['@x'] }],
    ['a part named like a method', { ...good, artifacts: ['@toString'] }],
    ['a log without a head', { ...good, logs: [{ leaves: '' }] }],
    ['another domain that has no name', { ...good, other: { artifacts: [] } }],
    ['a nonce of the wrong length', { ...good, nonces: { ab: null } }],
    ['a request that is no hex', { ...good, subject: { request: 'x' } }]
  ])('%s', (_name, json) => expect(() => readVector(json)).toThrow(MalformedError))

  it('a subject beyond its list', () => expect(() => judgeVector(readVector({ ...good, subject: { shape: 1 } }))).toThrow(MalformedError))
  it('a subject that needs another domain', () => expect(() => judgeVector(readVector({ ...good, domain: `0001${'0'.repeat(64)}`, subject: { admission: true } }))).toThrow(MalformedError))

  it('names and refusals are compared wherever they are asked for', () => {
    const expected = { status: 'accepted', code: 'accepted', names: ['a'], refused: { b: 'not-admitted', c: 'admission-stale' } }
    expect(isAnswer(expected, { ...expected, refused: { c: 'admission-stale', b: 'not-admitted' } })).toBe(true)
    for (const other of [{ names: [] }, { names: ['a', 'b'] }, { names: undefined }, { refused: {} }, { refused: { ...expected.refused, b: 'admission-stale' } }]) {
      const { names, refused } = { ...expected, ...other }
      expect(isAnswer(expected, { status: 'accepted', code: 'accepted', ...(names === undefined ? {} : { names }), refused })).toBe(false)
    }
  })

  it('a subject that needs a domain', () => expect(() => judgeVector(readVector({ ...good, subject: { offer: 0 } }))).toThrow(MalformedError))
})
