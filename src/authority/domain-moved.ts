/** DomainMoved: the roots of a domain say that it goes on as another one. Information for people: no verdict and no view rests on it. Source: RULES M8. */
import { artifactCodec } from '../substrate/codec.js'
import { checked, ref, struct, type TypeOf } from '../substrate/shape.js'
import { TAG } from '../substrate/type-tags.js'

const shape = checked(
  struct({
    domain_id: ref,
    /** whose root set signs */
    root_entry: ref,
    /** the DomainID that it goes on as */
    to: ref
  }),
  (m) => m.to === m.domain_id ? 'another domain than its own to move to' : undefined)

export type DomainMoved = TypeOf<typeof shape>
export const domainMovedCodec = artifactCodec(TAG.domainMoved, 'DomainMoved', shape)
