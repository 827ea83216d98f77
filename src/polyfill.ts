/**
 * `Promise.withResolvers` for Node.js 20, which lacks it while libp2p's packages call it.
 *
 * Import this file first in every entry that loads libp2p, worker threads too: ES modules are evaluated in
 * the order of their imports, so the function stands before any package asks for it. A runtime that has the
 * function keeps its own.
 */
declare global {
  interface PromiseWithResolvers<T> {
    promise: Promise<T>
    resolve: (value: T | PromiseLike<T>) => void
    reject: (reason?: unknown) => void
  }
  interface PromiseConstructor {
    withResolvers: <T>() => PromiseWithResolvers<T>
  }
}

function withResolvers<T> (this: PromiseConstructor): PromiseWithResolvers<T> {
  let settle: Pick<PromiseWithResolvers<T>, 'resolve' | 'reject'> | undefined
  const promise = new this<T>((resolve, reject) => { settle = { resolve, reject } })
  if (settle === undefined) throw new TypeError('the promise constructor did not call its executor')
  return { promise, ...settle }
}

if (!('withResolvers' in Promise)) {
  // The attributes of the standard function: writable and configurable, and it doesn't show in enumeration.
  Object.defineProperty(Promise, 'withResolvers', {
    value: withResolvers,
    writable: true,
    configurable: true,
    enumerable: false
  })
}

export {}
