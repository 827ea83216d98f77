/**
 * The whole of the platform that floors 1 to 5 may use beside ECMAScript: what Node.js and every browser
 * have alike, and that is a pure function. Only `tsconfig.pure.json` reads this file.
 */
declare class TextEncoder {
  encode (text?: string): Uint8Array<ArrayBuffer>
}

declare class TextDecoder {
  constructor (label?: 'utf-8', options?: { fatal?: boolean, ignoreBOM?: boolean })
  decode (bytes?: Uint8Array): string
}
