/** Bugs that the simulator's share of `npm test` has to catch. */
import type { Mutant } from './mutant.js'

export const SIMULATOR_MUTANTS: readonly Mutant[] = [
  {
    name: 'skip the signature check',
    file: 'src/authority/lane-knowledge.ts',
    find: 'principalId(signature.public_key) === this.lane.principal && signatureHolds(signature)',
    replace: 'signature.signature !== \'\''
  },
  {
    name: 'skip the role check',
    file: 'src/authority/leaf-rules.ts',
    find: 'const fitting = rights.principal.roles.filter((r) => rule.roles === \'any\' || rule.roles.includes(r))',
    replace: 'const fitting = [\'federate\', \'produce\', \'publish\'] as typeof rights.principal.roles'
  },
  {
    name: 'skip the scope check',
    file: 'src/authority/leaf-rules.ts',
    find: 'if (rule.scoped && \'name\' in body && !scopeHasName(rights.scope, body.name)) return',
    replace: 'if (rule.scoped && rights.scope.prefixes.length > 1e9) return'
  },
  {
    name: 'accept a shorter log as newer',
    file: 'src/authority/lane-view.ts',
    find: 'Math.min(branch.head.snapshot.log_size, forked,',
    replace: 'Math.min(Math.min(...[...k.heads.values()].map((h) => h.snapshot.log_size)), forked,'
  },
  {
    name: 'forward before judging',
    file: 'src/federation/replica.ts',
    find: '      return judgeGossip(k, message, {',
    replace: '      if (message.t === \'head\') this.effects.push({ type: \'gossip\', domain, bytes })\n      return judgeGossip(k, message, {'
  },
  {
    name: 'drop evidence',
    file: 'src/authority/lane-knowledge.ts',
    find: 'if (!evidenceHolds(e)) return false',
    replace: 'if (e.index >= 0) return false'
  },
  {
    name: 'believe any evidence',
    file: 'src/authority/lane-knowledge.ts',
    find: 'if (!evidenceHolds(e)) return false',
    replace: ''
  },
  {
    name: 'publish before durable',
    file: 'src/federation/append.ts',
    find: '    await engine.durable(async () => {',
    replace: '    engine.step({ type: \'published\', domain: k.domain, lane: laneRef, from })\n    await engine.durable(async () => {'
  },
  {
    name: 'no marker',
    file: 'src/federation/append.ts',
    find: 'if (ports.markers.mayContinue(v.knowledge.ref, { size: head.log_size, root: head.log_root })) return',
    replace: 'if (ports.markers !== undefined) return'
  },
  {
    name: 'commit without the head',
    file: 'src/federation/ledger.ts',
    find: "  out.push({ type: 'put', key: key(KEYSPACE.tip,",
    replace: "  if (from > 0) return out\n  out.push({ type: 'put', key: key(KEYSPACE.tip,"
  },
  {
    name: 'no second pull',
    file: 'src/federation/peer.ts',
    find: 'if (differs && !samePair(quiet, { theirs: heard.digest, ours })) return',
    replace: 'if (this.greeted && quiet === undefined && k.authority().tip === undefined) return'
  }
]
