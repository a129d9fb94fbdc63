import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** How names become addresses: all of a name's, as the system resolves it. */
export type Resolve = (name: string, answer: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void) => void;

/** Code of the error of a connection that was not made, since the address may not be reached. */
export const ADDRESS_REFUSED = 'ERR_HOLDFAST_ADDRESS_REFUSED';

/** Special-purpose addresses (IANA IPv4 Special-Purpose Address Registry), multicast, and what is reserved. */
const CLOSED_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
];
/**
 * Global unicast is all of IPv6 that is open: loopback, ULA, link-local, multicast, IPv4-mapped and NAT64 (64:ff9b::/96) lie outside.
 */
const OPEN_IPV6 = '2000::/3';
/** Inside of it: Teredo and other protocols' own, documentation, 6to4, which carries an IPv4 address (IANA IPv6 Special-Purpose Address Registry). */
const CLOSED_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

const closedIpv4 = blockList(CLOSED_IPV4);
const openIpv6 = blockList([OPEN_IPV6]);
const closedIpv6 = blockList(CLOSED_IPV6);

/** Whether an address is on the public internet, as far as an address tells. */
export function isPublic(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !closedIpv4.check(address, 'ipv4');
  // An address with a zone belongs to a link.
  return family === 6 && !address.includes('%') && openIpv6.check(address, 'ipv6') && !closedIpv6.check(address, 'ipv6');
}

/**
 * Where webhooks may go: to public addresses by https, and anywhere that the allow-list names. Addresses are judged when a
 * connection is made, in its own look-up: the address that was judged is the one that is connected to, whatever the name resolves
 * to before or after.
 */
export class Destinations {
  private readonly networks: BlockList;
  private readonly hosts: ReadonlySet<string>;

  /** `allowed`: networks (`10.0.0.0/8`), addresses, and host names, with a port (`receiver:8080`) or for all ports. */
  constructor(
    allowed: readonly string[],
    private readonly resolve: Resolve = (name, answer) => systemLookup(name, { all: true }, answer),
  ) {
    const isNetwork = (entry: string): boolean => isIP(entry.split('/')[0] ?? '') !== 0;
    this.networks = blockList(allowed.filter(isNetwork));
    this.hosts = new Set(allowed.filter((entry) => !isNetwork(entry)).map((entry) => entry.toLowerCase()));
  }

  /** Why an endpoint may not have this URL, as far as the URL tells; null where it may. */
  flawOf(text: string): string | null {
    if (!URL.canParse(text)) return 'must be a URL';
    const url = new URL(text);
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must begin with https://';
    if (url.username || url.password || url.hash) return 'must have neither user, password nor fragment';
    const { host, isListed } = this.placeOf(url);
    const inNetwork = isIP(host) !== 0 && this.isAllowed(host);
    if (url.protocol === 'http:' && !isListed && !inNetwork) return 'must begin with https://';
    return isIP(host) === 0 || this.mayReach(host, isListed) ? null : 'must not lead to this address';
  }

  /**
   * The look-up for a connection to `url`; null where the host is an address, which no look-up is asked about, and may be reached.
   * It refuses a name of which one address may not be reached.
   * @throws Error with the code ADDRESS_REFUSED where the host is an address that may not be reached
   */
  lookupFor(url: URL): LookupFunction | null {
    const { host, isListed } = this.placeOf(url);
    if (isIP(host) !== 0) {
      if (!this.mayReach(host, isListed)) throw refused();
      return null;
    }
    return (name, options, answer) => {
      this.resolve(name, (error, addresses) => {
        if (error) return answer(error, '');
        const [first] = addresses;
        if (!first || !addresses.every(({ address }) => this.mayReach(address, isListed))) return answer(refused(), '');
        return options.all ? answer(null, addresses) : answer(null, first.address, first.family);
      });
    };
  }

  private placeOf({ hostname, port, protocol }: URL): { host: string; isListed: boolean } {
    const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
    const at = port || (protocol === 'https:' ? '443' : '80');
    return { host, isListed: this.hosts.has(host) || this.hosts.has(`${host}:${at}`) };
  }

  private mayReach(address: string, isListed: boolean): boolean {
    return isListed || isPublic(address) || this.isAllowed(address);
  }

  private isAllowed(address: string): boolean {
    return !address.includes('%') && this.networks.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
  }
}

function refused(): NodeJS.ErrnoException {
  return Object.assign(new Error('the address may not be reached'), { code: ADDRESS_REFUSED });
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    list.addSubnet(address, bits === undefined ? (family === 'ipv4' ? 32 : 128) : Number(bits), family);
  }
  return list;
}
