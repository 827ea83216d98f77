/** Frames of hello, sync and admit: u32 BE length, then that many bytes. */
import { writeU32 } from '../../substrate/bytes.js'
import { Violation } from './budgets.js'
import type { ByteQueue } from './byte-queue.js'
import type { Intake } from './channel.js'

/** The four bytes in front of a frame of `length` bytes. */
export function frameHeader (length: number): Uint8Array {
  const header = new Uint8Array(4)
  writeU32(header, 0, length)
  return header
}

export class FrameIntake implements Intake {
  frames = 0
  #length = -1

  /** `onFrame` gets a view that stays valid; it may pin a buffer of up to 64 KiB, so copy what is kept for long. */
  constructor (private readonly maxBytes: number, private readonly onFrame: (bytes: Uint8Array) => void) {}

  read (queue: ByteQueue): boolean {
    for (;;) {
      if (this.#length === -1) {
        if (queue.length < 4) return queue.length > 0
        const length = queue.u32()
        // Nothing is allocated by the declared length: the peer is gone before a byte of the frame is kept.
        if (length > this.maxBytes) throw new Violation(`declared a frame of ${length} bytes, ${this.maxBytes} are allowed`)
        this.#length = length
      }
      if (queue.length < this.#length) return true
      const bytes = queue.take(this.#length)
      this.#length = -1
      this.frames++
      this.onFrame(bytes)
    }
  }
}
