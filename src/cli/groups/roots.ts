/** Root, sign and recover: the root chain and what is signed offline. */
import { Option } from 'commander'
import type { RootsArgs, RootSigning, RotateArgs } from '../../node/commands/roots/types.js'
import { type CliTools, digit, given, newPassphraseOf, passphraseOf } from '../tools.js'

interface Keys { passphraseFile?: string[], passphrase: boolean }
interface Common extends Keys { roots: string[], key: string[], request?: string, domain?: string, base?: string, policy?: string, rootKey?: 'new' | 'keep', yes?: true, offlineAuthority?: true, peer: string[] }
interface Next { newRoots: string, nextRootPub: string[], nextKeys?: number, threshold?: number, commitment?: string }

export function addRootsCommands ({ command, group, done, path, passphraseFile, key, keys, peer }: CliTools): void {
  type Built = ReturnType<typeof command>
  const paths = (text: string, before: string[]): string[] => [...before, path(text)]
  const roots = (): Option => new Option('--roots <DIR>', 'where root keys are; may be repeated').argParser(paths).default([], 'offline/ in the home, while it is there')
  const rootKeys = (): Option => keys('a root key that is used where it is: a file, agent:…, pkcs11:…')
  const commitment = (): Option => new Option('--commitment <FILE>', 'what opens the commitment (default: next-commitment.json beside the root keys)').argParser(path)
  const base = (): Option => new Option('--base <MANIFEST>', 'the last good manifest, by version or reference; later ones fall away (default: the newest in force)')
  const domain = (): Option => new Option('--domain <DOMAIN>', 'another domain than the home\'s own')
  const signing = (c: Built): Built => c
    .addOption(roots()).addOption(rootKeys())
    .option('--request <FILE>', 'write a signing request to FILE instead, for root keys that are elsewhere', path)
    .addOption(domain()).addOption(base())
    .option('--offline-authority', 'go on from the newest manifest here, though nothing shows that it is the newest')
    .addOption(peer())
    .addOption(passphraseFile())
    .option('--no-passphrase', 'leave new keys unencrypted')
  const next = (c: Built): Built => c
    .requiredOption('--new-roots <DIR>', 'where the next root set is written: a new or an empty directory', path)
    .addOption(new Option('--next-root-pub <FILE>', 'public key of the next set, made elsewhere; may be repeated').argParser(paths).default([], 'none: they are made here'))
    .option('--next-keys <N>', 'how many keys the next set has, 1 to 9 (default: as many as now)', digit)
    .option('--threshold <K>', 'how many of the next set have to sign (default: as many as now)', digit)
    .addOption(commitment())
  const signingArgs = (o: Common): RootSigning => given({ roots: o.roots, keys: o.key, request: o.request, offline: o.offlineAuthority === true, peers: o.peer })
  const nextArgs = (o: Next): RotateArgs => given({ newRoots: o.newRoots, nextRootPubs: o.nextRootPub, rootKeys: o.nextKeys, threshold: o.threshold, commitment: o.commitment })
  const epochArgs = (o: Common): RootsArgs['root renew'] => ({ ...signingArgs(o), ...given({ domain: o.domain, base: o.base, yes: o.yes, policy: o.policy === undefined ? undefined : isHash(o.policy) ? o.policy : path(o.policy) }), rootKey: o.rootKey ?? 'keep' })
  const rootKey = (c: Built): Built => c
    .addOption(new Option('--root-key <WHICH>', 'the key that signs manifests: a new one, or the one in force').choices(['new', 'keep']).default('keep'))
    .option('--policy <FILE|HASH>', 'the policy from now on (default: the one in force)')
    .option('--yes', 'end what --base drops, as it was shown: a branch of a fork, records that count now')

  const root = group('root', 'the offline roots: what they certify, and what replaces them')

  command('show', '', 'the roots, what they certify, and where authority stands', 'root show', root)
    .addOption(domain())
    .action((o: { domain?: string }) => done('root show', given({ domain: o.domain })))

  rootKey(signing(command('renew', '', 'certify another root_key or policy, or go back to a good manifest, under the same roots', 'root renew --policy ./publish.policy --roots /media/stick', root)))
    .action((o: Common) => done('root renew', epochArgs(o), { passphrase: newPassphraseOf(o) }))

  rootKey(next(signing(command('rotate', '', 'let the committed roots take over, and commit to fresh ones', 'root rotate --roots /media/stick --new-roots /media/other', root))))
    .action((o: Common & Next) => done('root rotate', { ...epochArgs(o), ...nextArgs(o) }, { passphrase: newPassphraseOf(o) }))

  command('drill', '', 'prove that the next root keys still sign; nothing is published', 'root drill --roots /media/stick', root)
    .addOption(roots()).addOption(rootKeys()).addOption(commitment()).addOption(domain()).addOption(passphraseFile())
    .action((o: Common & Pick<Next, 'commitment'>) => done('root drill', given({ roots: o.roots, keys: o.key, commitment: o.commitment, domain: o.domain }), { passphrase: passphraseOf(o.passphraseFile) }))

  command('move', '', 'the roots tell all followers that the domain goes on as another one: the way out when the next root keys are lost', 'root move --to dom1… --roots /media/stick', root)
    .addOption(new Option('--to <DOMAIN>', 'the domain that it goes on as').makeOptionMandatory())
    .addOption(roots()).addOption(rootKeys())
    .option('--request <FILE>', 'write a signing request to FILE instead, for root keys that are elsewhere', path)
    .addOption(domain())
    .option('--yes', 'the DomainID was compared: sign, and tell everybody')
    .addOption(passphraseFile())
    .action((o: Common & { to: string }) => done('root move', { ...given<{ domain?: string, request?: string }>({ domain: o.domain, request: o.request }), to: o.to, roots: o.roots, keys: o.key, yes: o.yes === true }, { passphrase: passphraseOf(o.passphraseFile) }))

  command('apply', '<REQUEST>', 'bring into force what enough root keys have signed', 'root apply renew.json', root)
    .option('--elsewhere', 'another machine made it, though this home made one for the same epoch')
    .option('--commitment <FILE>', 'next-commitment.json of the next root set, which has to open what the request commits to', path)
    .option('--offline-authority', 'sign the first manifest of the epoch though nothing shows that nobody else has')
    .addOption(peer())
    .addOption(passphraseFile())
    .action((request: string, o: { elsewhere?: true, commitment?: string, offlineAuthority?: true, peer: string[], passphraseFile?: string[] }) =>
      done('root apply', { request: path(request), offline: o.offlineAuthority === true, peers: o.peer, elsewhere: o.elsewhere === true, ...given<{ commitment?: string }>({ commitment: o.commitment }) }, { passphrase: passphraseOf(o.passphraseFile) }))

  command('sign', '', 'show what a signing request does, and with --yes sign it', 'sign --request renew.json --key /media/stick/root-1.key --yes')
    .addOption(new Option('--request <FILE>', 'the request; the signature is added to it').argParser(path).makeOptionMandatory())
    .addOption(key('the root key to sign with: a file, agent:…, pkcs11:…'))
    .option('--yes', 'sign; without it nothing is signed')
    .option('--again', 'though this key has signed another entry for the same epoch')
    .addOption(passphraseFile())
    .action((o: { request: string, key?: string, yes?: true, again?: true, passphraseFile?: string[] }) =>
      done('sign', { ...given<{ request: string, key?: string, again?: boolean }>({ request: o.request, key: o.key, again: o.again }), yes: o.yes === true }, { passphrase: passphraseOf(o.passphraseFile) }))

  const meant = (c: Built): Built => c.option('--yes', 'also where records that count now become void')
  const recover = group('recover', 'take a domain back: keys or roots that were lost or stolen, a lane that forked')

  meant(signing(command('root-key', '', 'the root_key was stolen: certify a new one, and drop what the thief signed after --base', 'recover root-key --roots /media/stick --base 7', recover)))
    .action((o: Common) => done('recover root-key', { ...signingArgs(o), ...given({ domain: o.domain, base: o.base, yes: o.yes }) }, { passphrase: newPassphraseOf(o) }))

  signing(command('keys', '', 'the hot keys are gone: a new principal, and a new root_key where that is gone too', 'recover keys --roots /media/stick --offline-authority', recover))
    .addOption(new Option('--keep <PRINCIPAL>', 'a principal that keeps its rights, by its name here or 8 or more digits of its key or id; may be repeated').argParser((text: string, before: string[]) => [...before, text]).default([], 'none'))
    .option('--stolen', 'certify a new root_key though the old one is here: somebody else has it too')
    .option('--yes', 'close every principal that --keep doesn\'t name, for ever')
    .action((o: Common & { keep: string[], stolen?: true, yes?: true }) => done('recover keys', { ...signingArgs(o), ...given({ domain: o.domain, base: o.base, yes: o.yes }), keep: o.keep, stolen: o.stolen === true }, { passphrase: newPassphraseOf(o) }))

  meant(next(signing(command('roots', '', 'live root keys are lost or stolen: the committed ones take over, with a new root_key', 'recover roots --roots /media/next --new-roots /media/other --base 7', recover))))
    .action((o: Common & Next) => done('recover roots', { ...signingArgs(o), ...nextArgs(o), ...given({ domain: o.domain, base: o.base, yes: o.yes }) }, { passphrase: newPassphraseOf(o) }))

  command('lane', '[LANE]', 'our own lane forked (a restored copy published too): end it where both agree, publish the rest anew', 'recover lane', recover)
    .addOption(new Option('--branch <HEAD>', 'the head of a history to publish again, where two are held; may be repeated').argParser((text: string, before: string[]) => [...before, text]).default([], 'the only one'))
    .option('--offline-authority', 'sign though nothing shows that the newest manifest is here')
    .addOption(peer())
    .addOption(passphraseFile())
    .action((lane: string | undefined, o: { branch: string[], offlineAuthority?: true, peer: string[], passphraseFile?: string[] }) =>
      done('recover lane', { ...given<{ lane?: string }>({ lane }), branch: o.branch, offline: o.offlineAuthority === true, peers: o.peer }, { passphrase: passphraseOf(o.passphraseFile) }))
}

function isHash (text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}
