/** For programs that honour them. The job's own servers are reached directly. `url`: of the HTTP proxy. */
export function proxyVariables(url: string): Record<string, string> {
  const none = 'localhost,127.0.0.1,::1'
  return { HTTP_PROXY: url, HTTPS_PROXY: url, http_proxy: url, https_proxy: url, NO_PROXY: none, no_proxy: none }
}
