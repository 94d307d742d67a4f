import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ReturnType<typeof ipaddr.parse>;
type Range = ReturnType<typeof ipaddr.parseCIDR>;

/** Where a connection is headed, as far as the URL tells. */
export interface OutboundTarget {
  /** The host as `hostOf` spells it. */
  host: string;
  /** Whether the URL is http: then being public is not enough, the operator must have listed it. */
  plaintext: boolean;
}

/**
 * The places a cloud hands its machine's credentials out. No identity provider lives there, so a careless
 * `OUTBOUND_ALLOW=169.254.0.0/16` must not open them. Azure's is in public address space.
 */
const METADATA_HOSTS = new Set(['metadata.google.internal', 'metadata.goog']);
const METADATA_ADDRESSES = [
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
].map((address) => ipaddr.parse(address).toByteArray());

const GLOBAL_UNICAST_IPV6 = ipaddr.parseCIDR('2000::/3');

/**
 * Which addresses a URL that somebody else wrote may make this service talk to: public ones over https, and
 * what the operator listed. The answer to server-side request forgery: without it a provider's `jwks_uri`
 * could read the cloud's metadata service or probe the internal network from inside.
 *
 * @see RFC 9728 section 7.7, OWASP ASVS 5.0 1.3.6
 */
export class OutboundPolicy {
  readonly #hosts = new Set<string>();
  readonly #ranges: Range[] = [];

  /**
   * @param allow hosts (exact names), addresses or CIDRs that may be reached although they are private, and
   *   over http as well.
   * @throws Error when an entry is none of these: a typing mistake must not pass for a rule.
   */
  constructor(allow: readonly string[]) {
    for (const entry of allow) {
      const bare = entry.replace(/^\[(.*)\]$/, '$1');
      if (ipaddr.isValidCIDR(bare)) {
        this.#ranges.push(ipaddr.parseCIDR(bare));
      } else if (ipaddr.isValid(bare)) {
        const address = ipaddr.parse(bare);
        this.#ranges.push([address, address.kind() === 'ipv4' ? 32 : 128]);
      } else if (/^[a-z0-9._-]+$/i.test(entry) && URL.canParse(`http://${entry}`)) {
        this.#hosts.add(hostOf(new URL(`http://${entry}`)));
      } else {
        throw new Error(`neither a host nor a CIDR: ${JSON.stringify(entry)}`);
      }
    }
  }

  /**
   * What can be told before DNS. A `true` for a name is provisional, `permitsAddress` decides at connect time:
   * a name that was public a moment ago may resolve to a private address now (DNS rebinding).
   */
  permitsUrl(url: URL): boolean {
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return false;
    const target = { host: hostOf(url), plaintext: url.protocol === 'http:' };
    if (METADATA_HOSTS.has(target.host)) return false;
    if (isIP(target.host) !== 0) return this.permitsAddress(target.host, target);
    return !target.plaintext || this.#hosts.has(target.host) || this.#ranges.length > 0;
  }

  /** Whether a socket may be opened to this address, which the target's host resolved to. */
  permitsAddress(text: string, target: OutboundTarget): boolean {
    if (METADATA_HOSTS.has(target.host) || !ipaddr.isValid(text)) return false;
    const address = ipaddr.parse(text);
    if (isMetadata(address)) return false;
    if (this.#hosts.has(target.host)) return true;
    if (this.#ranges.some((range) => address.kind() === range[0].kind() && address.match(range))) return true;
    return !target.plaintext && isPublic(address);
  }
}

/** The host of a URL in one spelling: the parser normalised case and odd IPv4 forms, brackets and the root dot go. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

/**
 * An IPv6 address can carry an IPv4 one at its end (mapped, compatible, NAT64) or after its first two bytes
 * (6to4), and a translator on the way would deliver to it; hence both places are looked at.
 */
function isMetadata(address: Address): boolean {
  const bytes = address.toByteArray();
  const disguises = bytes.length === 4 ? [bytes] : [bytes, bytes.slice(12), bytes.slice(2, 6)];
  return METADATA_ADDRESSES.some((known) =>
    disguises.some((one) => one.length === known.length && one.every((byte, i) => byte === known[i])),
  );
}

/** The library calls everything that it does not know `unicast`; in IPv6 only 2000::/3 is in global use. */
function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || address.match(GLOBAL_UNICAST_IPV6);
}
