/**
 * How much is held under `root`: objects, and what their fields, Maps, Sets and lists hold, each shared part once. Says how memory grows where a heap's size
 * depends on when it was last swept. Closures aren't looked into.
 */
export function slotsIn (root: unknown): number {
  const seen = new Set<object>()
  const open: unknown[] = [root]
  let slots = 0
  while (open.length > 0) {
    const at = open.pop()
    if (typeof at !== 'object' || at === null || seen.has(at)) continue
    seen.add(at)
    slots++
    const parts = at instanceof Map ? [...at].flat() : at instanceof Set ? [...at] : ArrayBuffer.isView(at) ? [] : Object.values(at)
    slots += parts.length
    for (const part of parts) if (typeof part === 'object') open.push(part)
  }
  return slots
}
