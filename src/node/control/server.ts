/**
 * The daemon's control channel: HTTP over a Unix socket of mode 0600.
 *
 *     GET  /v1/health          JSON, for scripts and monitoring
 *     POST /v1/commands/NAME   runs a command; body and answer are frames (frames.ts)
 *
 * Never a TCP port: no web page can reach it, and the file's mode says who may. A request that carries a browser's headers all the same (through
 * somebody's proxy) is refused. A client that goes away or sends ABORT aborts its command's signal.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { PassThrough } from 'node:stream'
import { DiadError } from '../../substrate/errors.js'
import type { Backend } from '../command.js'
import { CONTROL_LIMITS, FRAME, FRAMES_TYPE, INTERNAL, jsonFrame, wireError } from './frames.js'
import { type CommandRequest, RequestReader } from './request.js'
import { ResponseIo } from './response-io.js'
import { listenOnSocket } from './socket.js'

export interface ControlServerInit {
  /** where the socket is made; the caller holds the store's lock */
  path: string
  /** runs the commands; not closed by the server */
  backend: Pick<Backend, 'run'>
  /** the body of /v1/health; must not await anything */
  health: () => object
  /** told of errors that are bugs of ours, for the daemon's log; the client gets the message alone */
  report?: (error: unknown) => void
}

export interface ControlServer {
  readonly path: string
  /** Takes no new commands, aborts the running ones, waits until they have cleaned up, removes the socket. */
  close: () => Promise<void>
}

/** `ls`, or `role/grant` for the command `role grant` */
const COMMAND_PATH = /^\/v1\/commands\/([a-z][a-z-]{0,31}(?:\/[a-z][a-z-]{0,31})?)$/

/** Throws DiadError `store-busy` when a live daemon has the socket. A stale one is replaced. */
export async function startControlServer (init: ControlServerInit): Promise<ControlServer> {
  const running = new Map<Promise<void>, AbortController>()
  let closing = false

  const server = createServer({ requestTimeout: 0, headersTimeout: CONTROL_LIMITS.argumentsMs, keepAlive: false }, (request, response) => {
    // requestTimeout is off because a request stays open as long as its command runs (it may carry ABORT); ARGS have a deadline of their own.
    response.setHeader('cache-control', 'no-store')
    response.setHeader('connection', 'close')
    const foreign = request.headers.origin !== undefined || request.headers['sec-fetch-site'] !== undefined
    const name = COMMAND_PATH.exec(request.url ?? '')?.[1]?.replace('/', ' ')
    if (foreign) {
      refuse(response, 403, 'this socket does not serve web pages')
    } else if (request.url === '/v1/health') {
      if (request.method === 'GET') answer(response, 200, init.health())
      else refuse(response, 405, 'only GET')
    } else if (name === undefined) {
      refuse(response, 404, 'there is nothing here')
    } else if (request.method !== 'POST') {
      refuse(response, 405, 'only POST')
    } else if (request.headers['content-type'] !== FRAMES_TYPE) {
      refuse(response, 415, `the body has to be ${FRAMES_TYPE}`)
    } else if (closing) {
      refuse(response, 503, 'the daemon is stopping')
    } else {
      const controller = new AbortController()
      const work = runCommand(init, name, request, response, controller).finally(() => running.delete(work))
      running.set(work, controller)
    }
  })
  server.maxConnections = CONTROL_LIMITS.connections
  await listenOnSocket(server, init.path)

  return {
    path: init.path,
    async close () {
      closing = true
      const stopped = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const controller of running.values()) controller.abort(stopping())
      // A client that doesn't read its answer must not keep the daemon from stopping.
      const patience = setTimeout(() => server.closeAllConnections(), CONTROL_LIMITS.abortMs)
      await Promise.all(running.keys())
      clearTimeout(patience)
      server.closeAllConnections()
      await stopped
    }
  }
}

function stopping (): DiadError {
  return new DiadError('interrupted', 'the daemon is stopping', 'run the command again')
}

/** Reads the arguments, runs the command, answers. Never rejects. */
async function runCommand (init: ControlServerInit, name: string, request: IncomingMessage, response: ServerResponse, controller: AbortController): Promise<void> {
  // 'close' before the end of the answer: the client is gone, and nobody needs the work.
  response.once('close', () => {
    if (!response.writableFinished) controller.abort(new DiadError('interrupted', 'the client went away'))
  })
  response.on('error', () => { /* said by 'close' too */ })
  response.setHeader('content-type', FRAMES_TYPE)
  const input = new PassThrough()
  let io: ResponseIo | undefined
  let last: Buffer
  try {
    const reader = new RequestReader(request, { input, abort: (reason) => controller.abort(reason), answer: (text) => io?.answered(text) })
    const asked: CommandRequest = await reader.args
    io = new ResponseIo(response, controller.signal, asked, input)
    const result = await init.backend.run(name, asked.args, io)
    io.flushProgress()
    last = jsonFrame(FRAME.result, result)
  } catch (err) {
    const aborted: unknown = controller.signal.reason
    // However a command words its end after an abort, the client is told why it was aborted.
    const wire = wireError(controller.signal.aborted && aborted instanceof DiadError && wireError(err).code === 'interrupted' ? aborted : err)
    if (wire.code === INTERNAL) init.report?.(err)
    last = jsonFrame(FRAME.error, wire)
  }
  io?.finish()
  await new Promise<void>((resolve) => {
    if (response.destroyed) {
      resolve()
      return
    }
    response.once('close', resolve)
    response.end(last, () => {
      input.destroy()
      // The request may still be open for ABORT; nobody reads it from here on.
      request.resume()
      resolve()
    })
  })
}

function answer (response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body) + '\n')
}

function refuse (response: ServerResponse, status: number, message: string): void {
  answer(response, status, { error: { code: 'bad-request', message, hint: '' } })
}
