// Starts a PDS and the directory of accounts that it needs, for a test. Given: PDS_PORT, PLC_PORT, PDS_FOLDER; what
// the folder has from before is kept, the directory forgets.
import crypto from 'node:crypto'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'

// Both servers would listen on every address: here on loopback alone.
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (first, ...rest) {
  if (typeof first === 'number') {
    const others = typeof rest[0] === 'string' ? rest.slice(1) : rest
    return listen.call(this, first, '127.0.0.1', ...others)
  }
  const isOptions = typeof first === 'object' && first !== null && first.port !== undefined
  return listen.call(this, isOptions ? { ...first, host: '127.0.0.1' } : first, ...rest)
}

const { PDS, envToCfg, envToSecrets, readEnv } = await import('@atproto/pds')
const { default: plc } = await import('@did-plc/server')

const { PDS_PORT, PLC_PORT, PDS_FOLDER } = process.env
const secret = () => crypto.randomBytes(32).toString('hex')
const directory = plc.PlcServer.create({ db: plc.Database.mock(), port: Number(PLC_PORT) })
await directory.start()

const blobs = path.join(PDS_FOLDER, 'blobs')
fs.mkdirSync(blobs, { recursive: true })
const settings = {
  ...readEnv(),
  devMode: true,
  hostname: 'localhost',
  port: Number(PDS_PORT),
  dataDirectory: PDS_FOLDER,
  blobstoreDiskLocation: blobs,
  didPlcUrl: `http://localhost:${PLC_PORT}`,
  jwtSecret: secret(),
  adminPassword: secret(),
  dpopSecret: secret(),
  plcRotationKeyK256PrivateKeyHex: secret(),
  inviteRequired: false,
  serviceHandleDomains: ['.test'],
  disableSsrfProtection: true,
  crawlers: [],
}
const server = await PDS.create(envToCfg(settings), envToSecrets(settings))
await server.start()
console.log('ready')
