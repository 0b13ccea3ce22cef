import { fail } from '../say.ts'
import { goBuild } from './go.ts'
import { type Upstream, upstreams } from './upstreams.ts'

/** Builds what is not cached: everything, or one upstream. One at a time: each uses all cores. */
export async function build(only?: string): Promise<void> {
  const all: Upstream[] = upstreams
  const chosen = all.filter(({ name }) => only === undefined || name === only)
  if (chosen.length === 0) fail(`nothing to build is named ${only}; there are ${all.map(({ name }) => name).join(', ')}`)
  for (const upstream of chosen) await goBuild(upstream)
}
