// Runs where the browser does: hands the browser's connections to the proxy's socket, which is the only way out of a
// network namespace, then starts Playwright's MCP server on the same standard input and output and ends with it.
// Arguments: the session's folder; in a namespace the user and the group to be again, else two hyphens; the command.
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'

const [folder, user, group, ...command] = process.argv.slice(2)
process.chdir(folder)
if (user !== '-') {
  spawnSync('ip', ['link', 'set', 'lo', 'up'])
  command.unshift('unshare', '-U', `--map-user=${user}`, `--map-group=${group}`, '--')
}
const carrier = net.createServer(browser => {
  const proxy = net.connect('p')
  browser.on('error', () => proxy.destroy())
  proxy.on('error', () => browser.destroy())
  browser.pipe(proxy).pipe(browser)
})
carrier.listen(0, '127.0.0.1', () => {
  const config = JSON.parse(readFileSync('config.json', 'utf8'))
  config.browser.launchOptions.proxy = { server: `http://127.0.0.1:${carrier.address().port}`, bypass: '<-loopback>' }
  writeFileSync('mcp.json', JSON.stringify(config), { mode: 0o600 })
  const server = spawn(command[0], [...command.slice(1), '--config', 'mcp.json'], { stdio: 'inherit' })
  server.on('error', error => { console.error(error.message); process.exit(1) })
  server.on('exit', code => process.exit(code ?? 1))
})
