/**
 * The attacker: node agent.cjs <task.json>. Tries every attack of the task and writes what came of each to `results` as it goes, one JSON
 * line each, so that an attack that ends the process leaves the others' results behind. Runs under Windows Node, behind the walls or not.
 */
'use strict'
const cp = require('node:child_process')
const dgram = require('node:dgram')
const dns = require('node:dns')
const fs = require('node:fs')
const net = require('node:net')
const path = require('node:path')

const task = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'))
const { facts } = task
const koffi = require(facts.koffi)

class Escaped extends Error {}
class Refused extends Error {}

const escaped = (detail = '') => {
  throw new Escaped(detail)
}
const refusal = (code) => new Refused(code)
const host = (name) => path.join(facts.outside, name)
const mine = (name) => path.join(facts.workspace, name)

const libraries = new Map()
const functions = new Map()
/** Calls a function of a system library; a BOOL or handle that says failure goes to `refuse`. */
function win(library, prototype, ...values) {
  const key = `${library} ${prototype}`
  if (!libraries.has(library)) libraries.set(library, koffi.load(`${library}.dll`))
  if (!functions.has(key)) functions.set(key, libraries.get(library).func(prototype))
  return functions.get(key)(...values)
}
const lastError = () => win('kernel32', 'uint32 GetLastError()')
const refuse = (failed) => {
  const code = lastError()
  if (failed) throw refusal(`win32 ${code}`)
}
const isInvalid = (handle) => handle === null || koffi.address(handle) === 0xffffffffffffffffn
const close = (handle) => win('kernel32', 'int CloseHandle(void *handle)', handle)

function openToken(process_, access) {
  const out = [null]
  refuse(!win('advapi32', 'int OpenProcessToken(void *process, uint32 access, _Out_ void **token)', process_, access, out))
  return out[0]
}

function registryKey(access) {
  const out = [null]
  const status = win(
    'advapi32',
    'long RegOpenKeyExW(void *key, str16 path, uint32 options, uint32 access, _Out_ void **key2)',
    koffi.as(0x80000001n, 'void *'),
    facts.registry,
    0,
    access,
    out,
  )
  if (status !== 0) throw refusal(`win32 ${status}`)
  return out[0]
}

/** NtCreateFile on the native spelling of a path; returns the NTSTATUS. OPEN, synchronous, non-directory. */
function ntOpen(file, access) {
  const text = Buffer.from(`\\??\\${file}\0`, 'utf16le')
  const name = Buffer.alloc(16)
  name.writeUInt16LE(text.length - 2, 0)
  name.writeUInt16LE(text.length, 2)
  name.writeBigUInt64LE(koffi.address(text), 8)
  const attributes = Buffer.alloc(48)
  attributes.writeUInt32LE(48, 0)
  attributes.writeBigUInt64LE(koffi.address(name), 16)
  attributes.writeUInt32LE(0x40, 24)
  const [handle, io] = [Buffer.alloc(8), Buffer.alloc(16)]
  const status = win(
    'ntdll',
    'int32 NtCreateFile(void *handle, uint32 access, void *attributes, void *io, void *size, uint32 file, uint32 share, uint32 how, uint32 options, void *ea, uint32 length)',
    handle,
    access,
    attributes,
    io,
    null,
    0,
    7,
    1,
    0x60,
    null,
    0,
  )
  return status >>> 0
}

/** Connects, says each text in turn, and gives what was answered within a second and a half. */
async function talk(to, ...texts) {
  const socket = net.connect(to)
  try {
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
      setTimeout(() => reject(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })), 3000)
    })
    socket.on('error', () => undefined)
    let answer = ''
    socket.on('data', (chunk) => (answer += chunk))
    for (const text of texts) {
      socket.write(text)
      for (let waited = 0; waited < 30; waited++) {
        await new Promise((resolve) => setTimeout(resolve, 25))
        if (answer !== '' || socket.destroyed) break
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
    return answer
  } finally {
    socket.destroy()
  }
}

async function datagram(address, port, connected = false) {
  const socket = dgram.createSocket('udp4')
  try {
    return await new Promise((resolve, reject) => {
      socket.once('error', reject)
      socket.on('message', (message) => resolve(message.toString()))
      setTimeout(() => reject(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })), 1500)
      const sent = (error) => error && reject(error)
      if (connected) socket.connect(port, address, (error) => (error ? reject(error) : socket.send('canary?', sent)))
      else socket.send('canary?', port, address, sent)
    })
  } finally {
    socket.close()
  }
}

function winsockConnect(address, port) {
  win('ws2_32', 'int WSAStartup(uint16 version, void *data)', 0x0202, Buffer.alloc(512))
  const socket = win('ws2_32', 'uintptr socket(int family, int type, int protocol)', 2, 1, 6)
  const name = Buffer.alloc(16)
  name.writeUInt16LE(2, 0)
  name.writeUInt16BE(port, 2)
  address.split('.').forEach((part, index) => name.writeUInt8(Number(part), 4 + index))
  const result = win('ws2_32', 'int connect(uintptr socket, void *name, int length)', socket, name, 16)
  const code = win('ws2_32', 'int WSAGetLastError()')
  win('ws2_32', 'int closesocket(uintptr socket)', socket)
  if (result !== 0) throw refusal(`wsa ${code}`)
  return 'connected'
}

/** Creates a file and, when that worked, takes it away again before saying so. */
function plant(file) {
  fs.writeFileSync(file, 'x', { flag: 'wx' })
  fs.unlinkSync(file)
  escaped()
}

function codeOf(error) {
  if (error instanceof Refused) return error.message
  if (typeof error.status === 'number') return `exit ${error.status}`
  return error.code ?? `${error.name}: ${error.message}`
}

const AsyncFunction = (async () => undefined).constructor
const names = [
  'cp',
  'dgram',
  'dns',
  'fs',
  'net',
  'path',
  'koffi',
  'facts',
  'escaped',
  'refusal',
  'host',
  'mine',
  'win',
  'lastError',
  'refuse',
  'isInvalid',
  'close',
  'openToken',
  'registryKey',
  'ntOpen',
  'talk',
  'datagram',
  'winsockConnect',
  'plant',
]
const values = [
  cp,
  dgram,
  dns,
  fs,
  net,
  path,
  koffi,
  facts,
  escaped,
  refusal,
  host,
  mine,
  win,
  lastError,
  refuse,
  isInvalid,
  close,
  openToken,
  registryKey,
  ntOpen,
  talk,
  datagram,
  winsockConnect,
  plant,
]

async function attempt({ id, code }) {
  try {
    await new AsyncFunction(...names, code)(...values)
    return { id, outcome: 'finished', detail: 'it ended without a word' }
  } catch (error) {
    if (error instanceof Escaped) return { id, outcome: 'escaped', detail: error.message.slice(0, 200) }
    return { id, outcome: 'threw', detail: codeOf(error) }
  }
}

async function main() {
  // What a job is told of its gateway.
  const gateway = process.env.HTTP_PROXY && new URL(process.env.HTTP_PROXY)
  if (gateway) {
    facts.proxy = Number(gateway.port)
    facts.credentials = `Proxy-Authorization: Basic ${Buffer.from(`${gateway.username}:${gateway.password}`).toString('base64')}\r\n`
  }
  facts.ownChild ??= cp.spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore', cwd: 'C:\\windows' }).pid
  for (const attack of task.attacks) {
    // Before as well: an attack that ends the process is then known by name.
    fs.appendFileSync(task.results, `${JSON.stringify({ id: attack.id, outcome: 'begun' })}\n`)
    fs.appendFileSync(task.results, `${JSON.stringify(await attempt(attack))}\n`)
  }
  fs.appendFileSync(task.results, `${JSON.stringify({ id: '', outcome: 'end' })}\n`)
  process.exit(0)
}

void main()
