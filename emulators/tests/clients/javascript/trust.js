import { readFileSync } from "node:fs";
import tls from "node:tls";

// The library has no option for it, and NODE_EXTRA_CA_CERTS is read before the first line comes in.
export function trustOnly(pem) {
  const ca = readFileSync(pem);
  const create = tls.createSecureContext;
  tls.createSecureContext = (options) => create({ ...options, ca });
}
