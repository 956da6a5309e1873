/**
 * Errors of NATS's sockets for which nobody listens.
 *
 * @module
 */

/** An error of a socket, as `node:net` and `node:tls` have them. */
type SocketError = Error & { readonly code: string };

let isWatched = false;
let refused: SocketError | undefined;

/**
 * Keeps such errors from ending the program. The library takes its listeners off a socket while it goes over to TLS,
 * and before it destroys the socket: a reset, or an alert about a certificate, that comes in that moment would. It
 * notices by itself that the connection has ended. All else here has its connections from `Deno`, whose errors are
 * rejections, so that none of them is taken for one of these.
 */
export function watchSockets(): void {
  if (isWatched) return;
  isWatched = true;
  globalThis.addEventListener("error", (event) => {
    const { error } = event;
    if (!isSocketError(error)) return;
    event.preventDefault();
    if (isTlsError(error)) refused = error;
  });
}

/** What TLS has said last about a socket for which nobody listened, once. */
export function takeRefusal(): Error | undefined {
  const last = refused;
  refused = undefined;
  return last;
}

function isSocketError(error: unknown): error is SocketError {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  return typeof code === "string" &&
    (/^(read|write|connect|shutdown)$/.test(String(syscall)) ||
      isTlsError({ code }));
}

function isTlsError({ code }: { readonly code: string }): boolean {
  return /^ERR_(SSL|TLS)_/.test(code);
}
