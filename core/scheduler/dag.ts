/**
 * Puts names so that each comes after all it needs, otherwise in the order given; or returns the circle that makes that impossible, from a
 * name back to itself. Needs that are not in the map are somebody else's and are ignored.
 */
export function orderByNeeds(
  needs: ReadonlyMap<string, readonly string[]>,
): { readonly order: readonly string[] } | { readonly cycle: readonly string[] } {
  const order: string[] = []
  const done = new Set<string>()
  for (const root of needs.keys()) {
    // A trail instead of recursion: a chain of jobs may be longer than the stack.
    const trail: { readonly name: string; next: number }[] = done.has(root) ? [] : [{ name: root, next: 0 }]
    const open = new Set(trail.map(({ name }) => name))
    for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
      const need = needs.get(top.name)?.[top.next]
      top.next += 1
      if (need === undefined) {
        trail.pop()
        open.delete(top.name)
        done.add(top.name)
        order.push(top.name)
      } else if (open.has(need)) {
        const names = trail.map(({ name }) => name)
        return { cycle: [...names.slice(names.indexOf(need)), need] }
      } else if (needs.has(need) && !done.has(need)) {
        trail.push({ name: need, next: 0 })
        open.add(need)
      }
    }
  }
  return { order }
}
