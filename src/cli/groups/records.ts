/** Vouch, erase, adopt, explain and log: single records and what is known of them. */
import { InvalidArgumentError } from 'commander'
import { type CliTools, given, passphraseOf } from '../tools.js'


interface Keyed { key?: string, passphraseFile?: string[] }

export function addRecordsCommands ({ command, done, key, passphraseFile }: CliTools): void {
  const signing = (o: Keyed): { passphrase: ReturnType<typeof passphraseOf> } => ({ passphrase: passphraseOf(o.passphraseFile) })

  command('vouch', '<LANE|PRINCIPAL>', 'make a producer\'s lane visible (a publish key), or export it (a federate key)', 'vouch ci')
    .option('--at <SNAPSHOT>', 'up to this head of the lane (default: the greatest that is held and valid)', digits)
    .option('--dry-run', 'show what would become visible and exported, and do nothing')
    .addOption(key('the key that vouches (default: the home\'s principal)'))
    .addOption(passphraseFile())
    .action((target: string, o: Keyed & { at?: string, dryRun?: true }) => done('vouch', given({ target, at: o.at, key: o.key, dryRun: o.dryRun === true }), signing(o)))

  command('lanes', '[DOMAIN]', 'lanes held of a domain: whose they are, how far they count, are visible and are exported', 'lanes')
    .action((domain: string | undefined) => done('lanes', given({ domain })))

  command('erase', '<DOMAIN/NAME|LANE:INDEX>', 'take every record of a name, or one record, back for ever; its content is no longer served', 'erase alice/secrets.txt --yes')
    .option('--yes', 'do it; without this nothing is erased')
    .addOption(key('the key that erases (default: the home\'s principal)'))
    .addOption(passphraseFile())
    .addHelpText('after', '\nErasing can\'t call back what others carried away: whoever fetched it can keep it and show it. From now on nodes that keep the\nrules neither show nor serve it, and drop its name once a manifest anchors the erasing record (see diad domain seal).')
    .action((target: string, o: Keyed & { yes?: true }) => done('erase', given({ target, yes: o.yes === true, key: o.key }), signing(o)))

  command('tombstone', '<NAME>', 'hide a published name; older records stay and can still be read by who asks for them', 'tombstone docs/old')
    .alias('unpublish')
    .addOption(key('the key that signs (default: the home\'s principal)'))
    .addOption(passphraseFile())
    .action((name: string, o: Keyed) => done('tombstone', given({ name, key: o.key }), signing(o)))

  command('adopt', '<LANE>', 'publish again under a living key what a lane says beyond a cut, or after its key was closed', 'adopt 000112345678')
    .option('--only <NAME...>', 'only these names; they replace what is published under them')
    .option('--dry-run', 'show what would be adopted, and do nothing')
    .addOption(key('the key that adopts (default: the home\'s principal)'))
    .addOption(passphraseFile())
    .action((lane: string, o: Keyed & { only?: string[], dryRun?: true }) => done('adopt', given({ lane, only: o.only ?? [], key: o.key, dryRun: o.dryRun === true }), signing(o)))

  command('explain', '<TARGET>', 'judge anything, and show what that rests on', 'explain alice/www')
    .addHelpText('after', '\nTARGET is DOMAIN, DOMAIN/NAME[/PATH], a reference, LANE:INDEX, or a principal by its name, id or public key; the first digits will do.')
    .action((target: string) => done('explain', { target }))

  command('log', '[DOMAIN]', 'the history of a domain: epochs, manifests, and what was published under them; newest last', 'log alice')
    .option('--all', 'what isn\'t exported too, and what doesn\'t count')
    .option('--last <N>', 'only so many events', whole)
    .action((domain: string | undefined, o: { all?: true, last?: number }) => done('log', given({ domain, all: o.all === true, last: o.last })))
}

function digits (text: string): string {
  if (!/^[0-9a-f]{12,68}$/.test(text)) throw new InvalidArgumentError('It has to be a reference, or its first 12 or more hex digits.')
  return text
}

function whole (text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError('It has to be a whole number above 0.')
  return Number(text)
}
