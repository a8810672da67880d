import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { RawHeaders } from './http-headers.ts'
import { values } from './http-headers.ts'

/** What a client of a proxy that others can reach too must show: RFC 7617, `Proxy-Authorization: Basic ...`. */
export class ProxyCredentials {
  readonly #user = 'bulkhead'
  /** 192 bits: nobody guesses it, and it needs no escaping in a URL. */
  readonly #password = randomBytes(24).toString('base64url')
  readonly #expected = digest(`Basic ${Buffer.from(`${this.#user}:${this.#password}`).toString('base64')}`)

  /** URL of an HTTP proxy on the machine's IPv4 loopback, for the environment of the one who may use it. Secret. */
  url(port: number): string {
    return `http://${this.#user}:${this.#password}@127.0.0.1:${port}`
  }

  /** Takes as long for every wrong value. The scheme's name is compared without regard to case (RFC 9110 11.1). */
  accepts(header: string): boolean {
    return timingSafeEqual(digest(header.replace(/^basic +/i, 'Basic ')), this.#expected)
  }
}

/** `absent`: a client may ask first whether it has to say who it is; that is no attempt at anything. */
export function admission(credentials: ProxyCredentials | null, headers: RawHeaders): 'granted' | 'absent' | 'wrong' {
  if (credentials === null) return 'granted'
  const shown = values(headers, 'proxy-authorization')
  if (shown.length === 0) return 'absent'
  return shown.length === 1 && credentials.accepts(shown[0] ?? '') ? 'granted' : 'wrong'
}

/** Equal lengths, whatever was sent. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'latin1').digest()
}
