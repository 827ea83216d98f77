/**
 * yamux with a bound. The decoder of @libp2p/yamux 8.0.3 keeps everything until a frame is whole and compares its length with the stream's
 * window only then, so one header that declares 4 GiB would make it keep 4 GiB (THREATS 27). No honest frame is larger than the window.
 */
import type { MultiaddrConnection, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { yamux } from '@libp2p/yamux'
import type { HostLimits } from './budgets.js'

/** header of a frame, and a frame that may begin behind a whole one within one chunk */
const SLACK = 128 * 1024

export function boundedYamux (limits: HostLimits): () => StreamMuxerFactory {
  const make = yamux({
    maxInboundStreams: limits.streams,
    maxOutboundStreams: limits.streams,
    streamOptions: {
      maxStreamWindowSize: limits.windowBytes,
      // A paused stream still receives up to a window, and is reset when that doesn't fit.
      maxReadBufferLength: 2 * limits.windowBytes
    }
  })
  return () => {
    const factory = make()
    return {
      protocol: factory.protocol,
      createStreamMuxer (connection) {
        const muxer = factory.createStreamMuxer(connection)
        watch(muxer, connection, limits.windowBytes + SLACK)
        return muxer
      }
    }
  }
}

function watch (muxer: StreamMuxer, connection: Pick<MultiaddrConnection, 'addEventListener' | 'abort'>, most: number): void {
  // Not part of the typed interface; test/node/host-hostile.test.ts fails when it moves.
  const { decoder } = muxer as { decoder?: { buffer?: { byteLength: number } } }
  connection.addEventListener('message', () => {
    const kept = decoder?.buffer?.byteLength ?? 0
    if (kept > most) connection.abort(new Error(`yamux keeps ${kept} bytes of one frame`))
  })
}
