/** What commands answer where things have come to nothing, or wait for somebody else: in words and in JSON, on homes of their own, in this process. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Homes } from '../helpers/homes.js'
import { talkTo } from '../helpers/talk.js'

type Json = Record<string, any> // eslint-disable-line @typescript-eslint/no-explicit-any

const homes = new Homes('answers')
const { at: path } = homes
const { json, run, said, told } = talkTo(homes)

/** A home with a domain that has published `names`. */
async function domainWith (home: string, ...names: string[]): Promise<string> {
  const { domain } = await json(home, ['init', '--name', home, '--no-passphrase'])
  for (const name of names) await json(home, ['publish', path('file'), '--as', name])
  return domain as string
}

/** `to` holds what `from` exports now, and follows it. */
async function carry (from: string, to: string): Promise<Json> {
  rmSync(path('carried.car'), { force: true })
  await json(from, ['bundle', 'export', (await json(from, ['status']))['domain'], path('carried.car')])
  return await json(to, ['bundle', 'import', path('carried.car'), '--follow'])
}

beforeAll(() => {
  mkdirSync(path('tmp'))
  writeFileSync(path('file'), 'text\n')
})
afterAll(() => { homes.remove() })

test('a root entry that a follower brings into force waits for the home with the root_key, and for no signature (M8)', async () => {
  await domainWith('rooted', 'one')
  await carry('rooted', 'follower')
  const file = path('renew.json')
  expect(await said('rooted', ['root', 'renew', '--root-key', 'keep', '--request', file])).toMatch(/^waits for signatures/)
  await said('rooted', ['sign', '--request', file, '--key', path('rooted', 'offline', 'root-1.key'), '--yes'])
  const { stdout, stderr } = await run('follower', ['root', 'apply', file], 0)
  expect(stdout).toMatch(/^taken in: epoch 1; it waits for its first manifest, from the home with the root_key\n/)
  expect(stdout).not.toContain('diad sign')
  expect(stderr).toContain('run this in the home that has it')
  expect(await said('rooted', ['root', 'apply', file])).toMatch(/^in force: epoch 1\n/)
  // Once that manifest is here, there is nothing to wait for.
  await carry('rooted', 'follower')
  expect(await said('follower', ['root', 'apply', file])).toMatch(/^in force: epoch 1\n/)
})

describe('a name that was erased', () => {
  const place = /record \d+ of the lane 0001\w{12}…/.source
  let domain: string

  beforeAll(async () => {
    domain = await domainWith('eraser', 'gone', 'stays')
    await carry('eraser', 'mirror')
    await json('eraser', ['erase', `${domain}/gone`, '--yes'])
    await carry('eraser', 'mirror')
  })

  test.each(['eraser', 'mirror'])('is told from one that never was, by which record: %s', async (home) => {
    const text = expect.stringMatching(new RegExp(`^${place}, which published "gone", was erased by ${place}$`)) as unknown
    for (const verb of ['explain', 'verify']) {
      for (const name of ['gone', 'gone/below']) expect(await json(home, [verb, `${domain}/${name}`]), verb).toMatchObject({ status: 'informational', code: 'erased', checks: expect.arrayContaining([{ rule: 'R7', ok: false, text }]) as unknown })
      const never = await json(home, [verb, `${domain}/never`], 3)
      expect([never['code'], JSON.stringify(never['checks'])]).toEqual(['not-held', expect.not.stringContaining('erased')])
    }
  })

  test('isn\'t erased twice', async () => {
    expect(await json('eraser', ['erase', `${domain}/gone`, '--yes'], 2)).toMatchObject({ error: { code: 'already-erased', message: expect.stringMatching(/^it is erased already: record .* by record/) as unknown } })
    expect(await json('eraser', ['erase', `${domain}/never`, '--yes'], 3)).toMatchObject({ error: { code: 'not-found' } })
  })

  test('can\'t be told any more from one that never was where the record itself is gone, and that is said', async () => {
    await carry('eraser', 'late')
    for (const name of ['gone', 'never']) {
      for (const verb of ['explain', 'verify']) {
        const { code, checks } = await json('late', [verb, `${domain}/${name}`], 3)
        expect([code, (checks as Array<{ rule: string, text: string }>).filter((c) => c.rule === 'R7').map((c) => c.text)]).toEqual(['not-held', [expect.stringMatching(/^a record was erased, and what it published is forgotten with it/)]])
      }
    }
    expect(await said('late', ['explain', `${domain}/gone`], 3)).toMatch(new RegExp(`${place} of .*: erase`))
  })
})

test('one count of names: those that a listing shows', async () => {
  const domain = await domainWith('counted', 'a', 'b', 'c')
  await json('counted', ['tombstone', 'c'])
  const listed = (await json('counted', ['ls', domain]))['entries'].length as number
  expect([listed, (await json('counted', ['status']))['domains'][0].names, (await carry('counted', 'counter'))['names']]).toEqual([2, 2, 2])
  for (const home of ['counted', 'counter']) expect((await json(home, ['doctor']))['findings'].map((f: Json) => f['what'])).toContainEqual(expect.stringMatching(/; 2 names$/))
})

describe('a bundle whose records count for nothing', () => {
  let domain: string
  beforeAll(async () => {
    domain = await domainWith('home', 'first')
    await json('home', ['bundle', 'export', domain, path('home.car')])
    await json('none', ['rescue', 'start', '--bundle', path('home.car'), '--domain', domain, '--key', path('home', 'keys', 'principal.key'), '--dir', path('away')])
    await json('away', ['rescue', 'publish', path('file'), '--as', 'uniq'])
    await json('away', ['rescue', 'end', '--out', path('done.car')])
    await json('home', ['key', 'rotate'])
  })

  test('says so, why, and how the owner keeps them', async () => {
    const imported = await json('home', ['bundle', 'import', path('done.car')])
    expect(imported).toMatchObject({ status: 'accepted', names: 1, proposals: [], uncounted: [{ from: 0, records: 1, code: 'closed', names: ['uniq'], adoptable: true, principal: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown }] })
    const { lane } = imported['uncounted'][0] as { lane: string }
    expect(await said('home', ['bundle', 'import', path('done.car')])).toMatch(new RegExp(`1 record by \\S.* doesn't count: "uniq" .*closed.*\n.*diad adopt ${lane}\n`))
    await json('home', ['adopt', lane])
    expect((await json('home', ['ls', domain]))['entries'].map((e: Json) => e['name'])).toEqual(['first', 'uniq'])
  })

  test('nobody else can adopt them, and a bundle in which all counts has none', async () => {
    expect(await carry('home', 'reader')).toMatchObject({ names: 2, uncounted: [] })
    expect(await json('reader', ['bundle', 'import', path('done.car')])).toMatchObject({ names: 2, uncounted: [{ records: 1, code: 'closed', adoptable: false }] })
    expect(await said('reader', ['bundle', 'import', path('done.car')])).not.toContain('diad adopt')
  })
})

describe('admission', () => {
  let asking: string
  let deciding: string
  const refs = new Map<string, string>()

  async function ask (name: string, scope: string): Promise<string> {
    await json('decides', ['admit', 'nonce', '--out', path(`${name}.nonce`)])
    const { request } = await json('asks', ['admit', 'request', '--to', deciding, '--nonce', path(`${name}.nonce`), '--out', path(`${name}.json`), '--scope', scope])
    refs.set(name, request as string)
    return path(`${name}.json`)
  }
  /** As if it had come over the network. */
  function wait (name: string): string {
    const ref = refs.get(name) as string
    mkdirSync(path('decides', 'admission-requests'), { recursive: true })
    writeFileSync(path('decides', 'admission-requests', `${ref}.json`), readFileSync(path(`${name}.json`)))
    return ref
  }

  beforeAll(async () => {
    asking = await domainWith('asks', 'k/one', 'l', 'm')
    deciding = await domainWith('decides')
    await carry('asks', 'decides')
  })

  test('a request is valid, and only a decision accepts it', async () => {
    const file = await ask('all', '/')
    const text = await said('decides', ['admit', 'review', file])
    expect(text).toMatch(/^dom1\S+ {2}valid\n/)
    expect(await said('asks', ['admit', 'review', file], 4)).toMatch(/^asks \(dom1\S+\) {2}not valid: request-invalid/)
    expect(await json('decides', ['admit', 'accept', file])).toMatchObject({ decision: 'ACCEPTED', names: 3 })
  })

  test('what is in force is shown, and what a narrower one takes away', async () => {
    const file = await ask('narrow', 'k')
    expect(await json('decides', ['admit', 'review', file])).toMatchObject({ decision: 'ACCEPTED', admittedScope: [''], scope: ['k'] })
    const text = await said('decides', ['admit', 'review', file])
    expect(text).toMatch(/in force +ACCEPTED {2}everything\n/)
    expect(text).toMatch(/accepting it +narrows what is admitted: from everything to k\n/)
    expect(await said('decides', ['admit', 'accept', file])).toMatch(/narrows +from everything \(3 names in our view\) to k \(1 name in our view\)\n/)
    const wide = await json('decides', ['admit', 'accept', await ask('wide', '/')])
    expect(wide).toMatchObject({ names: 3, before: { decision: 'ACCEPTED', scope: ['k'], names: 1 } })
  })

  test('by its reference, a request that was decided is told from one that is gone', async () => {
    const decided = refs.get('wide') as string
    for (const verb of [['accept'], ['reject'], ['defer'], ['limit', '--scope', 'k']]) {
      expect(await json('decides', ['admit', ...verb, decided], 2), verb[0]).toMatchObject({ error: { code: 'admission-decided', message: 'this request has been decided already' } })
      const gone = await json('decides', ['admit', ...verb, `0001${'ab'.repeat(32)}`], 3)
      expect(gone, verb[0]).toMatchObject({ error: { code: 'not-found', message: expect.stringMatching(/^no request 0001\w+… waits here/) as unknown, hint: expect.stringContaining('newer request') as unknown } })
    }
    expect(await told('decides', ['admit', 'review', decided], 3)).toContain('has been decided already (ACCEPTED)')
    expect(await told('decides', ['admit', 'review', `0001${'ab'.repeat(32)}`], 3)).toContain('newer request')
  })

  test('one that was put off is decided on by its reference, until another took its place', async () => {
    await json('decides', ['admit', 'defer', await ask('off', 'l')])
    await json('decides', ['admit', 'defer', await ask('newer', 'm')])
    expect(await json('decides', ['admit', 'accept', refs.get('off') as string], 2)).toMatchObject({ error: { code: 'admission-decided', message: expect.stringContaining('taken its place') as unknown } })
    expect(await said('decides', ['view'])).toMatch(/put off: not decided yet/)
    expect(await json('decides', ['admit', 'accept', refs.get('newer') as string])).toMatchObject({ decision: 'ACCEPTED', scope: ['m'], names: 1 })
  })

  test('rejected is called so, and what waits besides is mentioned', async () => {
    expect(await said('decides', ['admit', 'reject', asking])).toMatch(/narrows +from m \(1 name in our view\) to nothing \(0 names in our view\)/)
    expect(await said('decides', ['admit', 'list'])).toMatch(/3 left out: rejected$/m)
    expect(await said('decides', ['view'])).toMatch(/3 names left out +rejected$/m)
    expect(await json('decides', ['view'])).toMatchObject({ refused: [{ code: 'not-admitted', decision: 'REJECTED', names: 3 }] })
    expect(await told('decides', ['admit', 'reject', asking], 2)).not.toContain('waits')
    await ask('again', '/')
    const ref = wait('again')
    for (const verb of ['reject', 'accept']) expect(await told('decides', ['admit', verb, asking], 2), verb).toContain(`another request of it waits, and is decided on by its reference: see \`diad admit review ${ref}\``)
    // One by file, while another waits.
    expect(await said('decides', ['admit', 'accept', await ask('beside', 'k')])).toContain(`another request of it still waits: diad admit review ${ref}`)
    expect(await json('decides', ['admit', 'reject', ref])).not.toHaveProperty('waiting')
  })

  test('nobody at the address: exit 3, as for every peer that doesn\'t answer', async () => {
    const nobody = '/ip4/127.0.0.1/tcp/9/p2p/12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf'
    expect(await json('asks', ['admit', 'request', '--to', deciding, '--peer', nobody, '--scope', '/', '--timeout', '20'], 3)).toMatchObject({ error: { code: 'peer-unreachable' } })
  })
})
