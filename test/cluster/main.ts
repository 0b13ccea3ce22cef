import { build } from './build/build.ts'
import { fail } from './say.ts'

const [command, argument] = process.argv.slice(2)
if (command === 'build') await build(argument)
else fail('usage: node test/cluster/main.ts up|down|status|build [UPSTREAM]')
